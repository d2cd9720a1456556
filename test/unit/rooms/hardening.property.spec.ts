/*
 * Random valid resources, thousands of them: whatever a user writes, no pod leaves the hardening baseline.
 * A failing example prints its seed and the shrunk resource; run again with HARDENING_SEED=seed.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import type { Plan } from '../../../src/kubernetes/plan.js';
import { planRelayPool } from '../../../src/operator/relay-pool/plan.js';
import { effectiveGateway } from '../../../src/policy/effective.js';
import { brokenGatewayRules } from '../../../src/policy/rules.js';
import { relayPools, signalingGateways } from '../../arbitraries/kinds.js';
import { hardeningViolations } from '../../hardening/hardening.js';
import { podsIn } from '../../hardening/pods.js';
import { NOON, observedGateway, planAt, SETTINGS } from './observed-gateway.js';

const SHARE = Number(process.env['HARDENING_RUNS'] ?? 10_000) / 10;
const SEED = Number(process.env['HARDENING_SEED'] ?? Date.now() % 2 ** 31);

/** No field of these names is ever written; those of host namespaces never with true. */
const FORBIDDEN =
  /"(hostPort|hostPath|NodePort|envFrom|secretKeyRef)"|"host(Network|PID|IPC)":true/;

/** A valid resource that is not rendered would make this test empty: its condition says why. */
function rendered({ apply, status }: Plan): readonly KubernetesObject[] {
  const stalled = status.conditions.find(({ type }) => type === 'Stalled');
  expect(stalled?.status === 'True' && apply.length === 0 ? stalled.message : '').toBe('');
  return apply;
}

/** CEL sees a cross-field rule only when both fields are set; a gateway that breaks one with a default is not rendered. */
const workingGateways = signalingGateways.map((gateway) => {
  if (brokenGatewayRules(effectiveGateway(gateway.spec).values).length === 0) return gateway;
  const defaulted = new Set(['keyRotation', 'leases', 'authentication']);
  const kept = Object.entries(gateway.spec).filter(([field]) => !defaulted.has(field));
  return { ...gateway, spec: Object.fromEntries(kept) as typeof gateway.spec };
});

const gatewayObjects = (gateway: SignalingGateway): readonly KubernetesObject[] =>
  rendered(planAt(observedGateway(gateway)).plan);

const poolObjects = (pool: RelayPool): readonly KubernetesObject[] =>
  rendered(
    planRelayPool(
      { pool, children: [], ca: undefined, gateways: [], failedOrders: [] },
      {
        renders: SETTINGS.renders,
        installation: {
          installId: 'install-1',
          serviceCidrs: ['10.96.0.0/12'],
          podCidrs: ['10.244.0.0/16'],
          apiServerCidrs: ['10.0.0.1/32'],
          servesServiceMonitors: true,
        },
      },
      NOON,
    ).plan,
  );

function check<Resource extends object>(
  resources: fc.Arbitrary<Resource>,
  objectsOf: (resource: Resource) => readonly KubernetesObject[],
  runs: number,
): void {
  fc.assert(
    fc.property(resources, (resource) => {
      judge(objectsOf(resource));
    }),
    { numRuns: runs, seed: SEED },
  );
}

function judge(objects: readonly KubernetesObject[]): void {
  expect(hardeningViolations(objects)).toEqual([]);
  // What was judged is not nothing: the pod is there.
  expect(podsIn(objects).map(({ where }) => where)).toHaveLength(1);
  expect(JSON.stringify(objects)).not.toMatch(FORBIDDEN);
}

describe('every random valid resource', () => {
  it('S176, S178: SignalingGateways render pods that satisfy restricted and the baseline', () => {
    check(workingGateways, gatewayObjects, 8 * SHARE);
  }, 300_000);

  it('S176, S178: RelayPools render pods that satisfy restricted and the baseline', () => {
    check(relayPools, poolObjects, 2 * SHARE);
  }, 300_000);
});
