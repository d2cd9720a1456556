import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { canonicalObject } from '../../../src/kubernetes/canonical.js';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import { diffPaths } from '../../../src/kubernetes/field-diff.js';
import { formatPath } from '../../../src/kubernetes/field-path.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { desiredHash, ownedHash } from '../../../src/kubernetes/owned-fields.js';
import { RESOURCE_KINDS } from '../../../src/kubernetes/resources.js';
import type { ResourceKind } from '../../../src/kubernetes/resources.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';

const GOLDEN = fileURLToPath(new URL('../../golden', import.meta.url));

let server: TestApiServer;
let client: ClusterClient;

beforeAll(async () => {
  server = await startApiServer();
  client = new ClusterClient({
    server: server.url,
    ca: server.ca,
    token: server.tokenOf('admin'),
  });
  const optional = RESOURCE_KINDS.filter((kind) => kind.optional);
  for (const kind of optional) await server.apply(crdOf(kind) as never);
  for (const { apiVersion, kind } of optional) {
    await eventually(`${kind} is served`, () => client.serves(apiVersion, kind));
  }
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

describe('what the rooms render', () => {
  it('comes back from the API server as it was sent: after a restart nothing is written', async () => {
    const files = (await readdir(GOLDEN, { recursive: true })).filter((file) =>
      file.endsWith('.yaml'),
    );
    const kinds = new Set<string>();
    const changed: string[] = [];
    for (const [index, file] of files.sort().entries()) {
      const namespace = await server.createNamespace(`golden-${index}`);
      const documents = loadAll(
        await readFile(join(GOLDEN, file), 'utf8'),
      ) as (KubernetesObject | null)[];
      for (const document of documents) {
        // The room of RetentionPolicy renders a status and no object.
        if (document === null || !('kind' in document)) continue;
        const object = { ...document, metadata: { ...document.metadata, namespace } };
        const live = await client.apply(canonicalObject(object), {
          fieldManager: 'sallyport',
          force: true,
        });
        kinds.add(object.kind);
        if (ownedHash(live, 'sallyport') === desiredHash(object)) continue;
        changed.push(
          `${file} ${object.kind} ${object.metadata.name}: ${diffPaths(object, live).map(formatPath).join(', ')}`,
        );
      }
    }
    expect(changed).toEqual([]);
    expect(kinds.size).toBeGreaterThan(8);
  });
});

/** Somebody else's kind, of which only the name matters here. */
function crdOf({ apiVersion, kind, plural }: ResourceKind): KubernetesObject {
  const [group = '', name = ''] = apiVersion.split('/');
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name, served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}
