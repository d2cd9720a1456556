import type { AnyObject } from './bed/admin.js';
import type { TestApiServer } from './bed/api-server.js';

/** What must not appear anywhere: of each private key and each user's Secret in `namespaces`, a part nobody could guess. */
export async function secretTexts(
  server: TestApiServer,
  namespaces: readonly string[],
): Promise<string[]> {
  const lists = namespaces.map((namespace) =>
    server.admin.get(`/api/v1/namespaces/${namespace}/secrets`),
  );
  const secrets = ((await Promise.all(lists)) as { items: AnyObject[] }[]).flatMap(
    ({ items }) => items,
  );
  return secrets
    .flatMap(({ data }) =>
      Object.values((data ?? {}) as Record<string, string>).flatMap((value) => [
        value.length >= 24 ? value.slice(-24) : value,
        ...privateLines(Buffer.from(value, 'base64').toString('utf8')),
      ]),
    )
    .filter((text) => text.length >= 16);
}

/** The lines of base64 in a PEM private key. */
function privateLines(text: string): string[] {
  if (!text.includes('PRIVATE KEY-----')) return [];
  return text.split('\n').filter((line) => line.length >= 16 && !line.includes('-----'));
}

/** Everything in `namespace` that people without rights on Secrets may read, as text by kind. */
export async function visibleObjects(
  server: TestApiServer,
  namespace: string,
): Promise<Record<string, string>> {
  const paths = [
    'api/v1 configmaps',
    'apis/events.k8s.io/v1 events',
    'apis/sallyport.dev/v1alpha1 signalinggateways',
    'apis/sallyport.dev/v1alpha1 relaypools',
    'apis/apps/v1 deployments',
    'apis/apps/v1 statefulsets',
    'apis/apps/v1 controllerrevisions',
  ];
  const entries = paths.map(async (path) => {
    const [root, plural] = path.split(' ') as [string, string];
    const list: unknown = await server.admin.get(`/${root}/namespaces/${namespace}/${plural}`);
    return [plural, JSON.stringify(list)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
