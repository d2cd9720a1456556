import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { brokenGatewayRules } from '../../../src/policy/rules.js';
import { effectiveGateway } from '../../../src/policy/effective.js';
import { signalingGateways } from '../../arbitraries/kinds.js';
import { aSignalingGateway } from '../../builders.js';
import { podsIn } from '../../hardening/pods.js';
import { observedGateway, planAt } from '../../unit/rooms/observed-gateway.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';

const NAMESPACE = 'restricted';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`;
const SAMPLE = 200;

let server: TestApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await server.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: NAMESPACE,
      labels: {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/enforce-version': 'latest',
      },
    },
  });
  const metadata = { name: 'pods', namespace: NAMESPACE };
  await server.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
});
afterAll(async () => {
  await server.stop();
});

/** The pod as its workload would create it. Objects that only a real cluster has are left out: they are not judged here. */
function podOf(spec: Readonly<Record<string, unknown>>, index: number): object {
  const absent = new Set(['priorityClassName', 'runtimeClassName', 'imagePullSecrets']);
  const kept = Object.entries(spec).filter(([field]) => !absent.has(field));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${index}` },
    spec: { ...Object.fromEntries(kept), serviceAccountName: 'pods' },
  };
}

describe('S178: a namespace that enforces the restricted profile', () => {
  it('admits the pods of 200 random gateways', async () => {
    const specs = fc
      .sample(signalingGateways, { numRuns: 2 * SAMPLE })
      .filter(({ spec }) => brokenGatewayRules(effectiveGateway(spec).values).length === 0)
      .slice(0, SAMPLE)
      .flatMap((gateway) => podsIn(planAt(observedGateway(gateway)).plan.apply))
      .map(({ spec }) => spec);
    expect(specs).toHaveLength(SAMPLE);
    const refused: unknown[] = [];
    for (const [index, spec] of specs.entries()) {
      const { status, body } = await server.request('POST', PODS, podOf(spec, index));
      if (status !== 201) refused.push((body as { message?: unknown }).message);
    }
    expect(refused).toEqual([]);
  });

  it('refuses the same pod with one privilege, so that the test above can fail', async () => {
    const [pod] = podsIn(planAt(observedGateway(aSignalingGateway())).plan.apply);
    const spec = { ...pod!.spec, securityContext: { runAsUser: 0 } };
    const { status, body } = await server.request('POST', PODS, podOf(spec, 0));
    expect([status, JSON.stringify(body)]).toEqual([
      403,
      expect.stringContaining('violates PodSecurity'),
    ]);
  });
});
