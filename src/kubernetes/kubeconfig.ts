/** The parts of a kubeconfig (client.authentication and clientcmd v1) that say how to reach one cluster. */
export interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly Named<'cluster', KubeconfigCluster>[];
  readonly contexts?: readonly Named<'context', KubeconfigContext>[];
  readonly users?: readonly Named<'user', KubeconfigUser>[];
}

type Named<Field extends string, Value> = { readonly name: string } & Readonly<
  Record<Field, Value>
>;

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'tls-server-name'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
}

interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

export interface KubeconfigUser {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly exec?: unknown;
  readonly 'auth-provider'?: unknown;
}

/** The cluster and user of the current context. */
export interface KubeconfigChoice {
  readonly cluster: KubeconfigCluster & { readonly server: string };
  readonly user: KubeconfigUser;
  readonly namespace: string | undefined;
}

/**
 * What the current context of `config` chooses, or a sentence that says why it cannot be used. A cluster whose
 * certificate is not verified is refused: there is no insecure way to run this operator.
 */
export function chosenBy(config: Kubeconfig): KubeconfigChoice | string {
  const name = config['current-context'] ?? '';
  const context = named(config.contexts, name)?.context;
  if (!context) return `its current-context "${name}" does not exist`;
  const cluster = named(config.clusters, context.cluster)?.cluster ?? {};
  const problem = clusterProblem(cluster);
  if (problem !== undefined) return problem;
  const user = named(config.users, context.user)?.user ?? {};
  const { server = '' } = cluster;
  return { cluster: { ...cluster, server }, user, namespace: context.namespace };
}

function named<Item extends { readonly name: string }>(
  items: readonly Item[] | undefined,
  name: string | undefined,
): Item | undefined {
  return items?.find((item) => item.name === name);
}

function clusterProblem(cluster: KubeconfigCluster): string | undefined {
  const { server } = cluster;
  if (server === undefined) return 'the cluster of its current-context has no server';
  if (!server.startsWith('https://')) return `its server ${server} is not https`;
  return cluster['insecure-skip-tls-verify'] ? 'it skips the verification of TLS' : undefined;
}

/** Whether credentials come from a program or a cloud's library instead of standing in the file. */
export const needsPlugin = (user: KubeconfigUser): boolean =>
  user.exec !== undefined || user['auth-provider'] !== undefined;

/** Host and port of an API server's URL, without the credentials that a URL may hold; '' for what is no URL. */
export function hostAndPort(server: string): string {
  if (!URL.canParse(server)) return '';
  const url = new URL(server);
  return url.port === '' ? `${url.hostname}:${url.protocol === 'http:' ? 80 : 443}` : url.host;
}
