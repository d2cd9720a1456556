import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Break } from '../../hardening/broken-pods.js';
import { brokenObjects, RESTRICTED_BREAKS } from '../../hardening/broken-pods.js';
import { podsIn } from '../../hardening/pods.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';

let server: TestApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await server.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: 'strict',
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  });
});
afterAll(() => server.stop());

/** What the API server says to the pod of our workload after `breaks`, without storing it. */
async function verdict(breaks: Break): Promise<{ status: number; message: string }> {
  const [pod] = podsIn([brokenObjects(breaks)['workload']]);
  const answer = await server.request('POST', '/api/v1/namespaces/strict/pods?dryRun=All', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'judged', labels: pod!.labels, annotations: pod!.annotations },
    // The account of our workload is not there; it is not what is judged.
    spec: { ...pod!.spec, serviceAccountName: 'default' },
  });
  return { status: answer.status, message: String(answer.body?.message ?? '') };
}

describe('a namespace that enforces the restricted profile', () => {
  it('S178: admits a pod of ours', async () => {
    expect(await verdict({})).toMatchObject({ status: 201 });
  });

  it.each(RESTRICTED_BREAKS)('refuses what our judge calls %s', async (_, breaks) => {
    const { status, message } = await verdict(breaks);
    // Some of these are refused by validation before admission sees them.
    expect([403, 422]).toContain(status);
    if (status === 403) expect(message).toContain('violates PodSecurity "restricted:latest"');
  });

  it('admits what every wish of a user for more hardening makes of it', async () => {
    const asked = {
      'pod.hostUsers': false,
      'pod.securityContext.supplementalGroupsPolicy': 'Strict',
    };
    expect(await verdict(asked)).toMatchObject({ status: 201 });
  });
});
