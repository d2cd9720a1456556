import { describe, expect, it } from '@jest/globals';

import { imageReference } from './image.js';
import type { HardenedPod } from './pod.js';
import { hardenedPodTemplate } from './pod.js';
import { schedulingFields } from './scheduling.js';
import { secretVolume } from './volumes.js';

const AMOUNTS = { cpu: '250m', memory: '256Mi', 'ephemeral-storage': '64Mi' };
const image = imageReference({
  repository: 'registry.example.com/sallyport',
  tag: '1',
  digest: `sha256:${'0'.repeat(64)}`,
});
const gateway = {
  name: 'gateway',
  image,
  command: ['node', 'dist/bin/gateway.js'],
  ports: [{ name: 'metrics', port: 9090, protocol: 'TCP' }],
  mounts: [{ volume: 'keys', path: '/etc/keys' }],
  resources: { requests: AMOUNTS, limits: AMOUNTS },
  probes: {
    readiness: { path: '/readyz', port: 'metrics' },
    liveness: { path: '/livez', port: 'metrics' },
    startup: { path: '/livez', port: 'metrics' },
  },
  preStopSleepSeconds: 5,
} as const;

const aPod = (change: Partial<HardenedPod> = {}): HardenedPod => ({
  labels: { app: 'gateway', tier: 'edge' },
  selector: { app: 'gateway' },
  serviceAccountName: 'edge-gateway',
  containers: [gateway],
  volumes: [secretVolume({ volume: 'keys', name: 'edge-keys' })],
  terminationGracePeriodSeconds: 60,
  ...change,
});
const specOf = (change?: Partial<HardenedPod>) => hardenedPodTemplate(aPod(change)).spec;

describe('a hardened pod', () => {
  it('is the same bytes for the same content, in whatever order keys were written', () => {
    const swapped = aPod({
      labels: { tier: 'edge', app: 'gateway' },
      scheduling: { nodeSelector: { b: '2', a: '1' } },
    });
    const straight = aPod({ scheduling: { nodeSelector: { a: '1', b: '2' } } });
    expect(JSON.stringify(hardenedPodTemplate(swapped))).toBe(
      JSON.stringify(hardenedPodTemplate(straight)),
    );
  });

  it('is tightened by what a user asks for, and only then', () => {
    expect(specOf()).not.toHaveProperty('hostUsers');
    expect(specOf()).not.toHaveProperty('runtimeClassName');
    expect(JSON.stringify(specOf())).not.toMatch(/appArmor|supplementalGroupsPolicy/);
    const tightened = specOf({
      hardening: {
        appArmor: 'RuntimeDefault',
        userNamespaces: true,
        strictSupplementalGroups: true,
        runtimeClassName: 'gvisor',
      },
    });
    expect(tightened).toMatchObject({
      hostUsers: false,
      runtimeClassName: 'gvisor',
      securityContext: {
        appArmorProfile: { type: 'RuntimeDefault' },
        supplementalGroupsPolicy: 'Strict',
      },
    });
  });

  it('never loosens when a user writes false', () => {
    const hardening = { userNamespaces: false, strictSupplementalGroups: false };
    expect(specOf({ hardening })).toEqual(specOf());
  });

  it('names pull secrets once, in order', () => {
    const withSecrets = { ...gateway, image: { ...image, pullSecrets: ['b', 'a'] } };
    expect(specOf({ containers: [withSecrets], initContainers: [withSecrets] })).toMatchObject({
      imagePullSecrets: [{ name: 'a' }, { name: 'b' }],
    });
  });

  it.each<[string, Partial<HardenedPod>]>([
    [
      'T51: a line break in an environment variable',
      { containers: [{ ...gateway, env: [{ name: 'A', value: 'x\nB=y' }] }] },
    ],
    ['T51: a line break in an argument', { containers: [{ ...gateway, args: ['--a\n--b'] }] }],
    [
      'T51: a line break in the name of a variable',
      { containers: [{ ...gateway, env: [{ name: 'A\n', value: '' }] }] },
    ],
    ['a mount without a volume', { volumes: [] }],
    ['a sleep that outlasts the grace period', { terminationGracePeriodSeconds: 5 }],
    ['a pod that its selector does not find', { selector: { app: 'relay' } }],
    [
      'a container without probes',
      { containers: [{ name: 'x', image, command: ['x'], resources: gateway.resources }] },
    ],
    [
      'readiness and liveness on one path',
      {
        containers: [
          { ...gateway, probes: { ...gateway.probes, readiness: gateway.probes.liveness } },
        ],
      },
    ],
    [
      'a probe of an undeclared port',
      { containers: [{ ...gateway, ports: [{ name: 'other', port: 1, protocol: 'TCP' }] }] },
    ],
  ])('refuses %s', (_, change) => {
    expect(() => specOf(change)).toThrow(TypeError);
  });
});

describe('scheduling', () => {
  const selector = { app: 'gateway' };

  it('requires regions, prefers different nodes, spreads over zones', () => {
    const regions = ['eu-2', 'eu-1', 'eu-2'];
    expect(schedulingFields({ regions }, selector)).toMatchObject({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchExpressions: [
                  {
                    key: 'topology.kubernetes.io/region',
                    operator: 'In',
                    values: ['eu-1', 'eu-2'],
                  },
                ],
              },
            ],
          },
        },
      },
      topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', maxSkew: 1 }],
    });
  });

  it('writes nothing for what is empty', () => {
    const empty = { nodeSelector: {}, tolerations: [], regions: [], priorityClassName: '' };
    expect(schedulingFields(empty, selector)).toEqual(schedulingFields(undefined, selector));
  });
});
