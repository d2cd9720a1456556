import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { walk, valuesOf, type Schema } from '../../../config/tooling/generate/schema.js';
import type { Resource } from '../../../src/kubernetes/cluster.js';
import { accessRoles, relayPools, retentionPolicies, signalingGateways } from '../../arbitraries/kinds.js';
import { aRelayPool, aRetentionPolicy, aSignalingGateway, anAccessRole } from '../../builders.js';
import { schemaOf } from '../../defaulting.js';

const ARBITRARIES: readonly (readonly [string, fc.Arbitrary<object>])[] = [
  ['SignalingGateway', signalingGateways],
  ['RelayPool', relayPools],
  ['AccessRole', accessRoles],
  ['RetentionPolicy', retentionPolicies],
];

/** Paths of everything in `value`, and of each enum with its value: `spec.exposure.type=ClusterIP`. */
function seen(schema: Schema, value: unknown, path: string): string[] {
  const here = valuesOf(schema) ? [path, `${path}=${String(value)}`] : [path];
  if (typeof value !== 'object' || value === null) return here;
  const inner = Object.entries(value).flatMap(([name, held]) => {
    const [child, step] = childOf(schema, name);
    return child ? seen(child, held, path + step) : [];
  });
  return [...here, ...inner];
}

function childOf(schema: Schema, name: string): readonly [Schema | undefined, string] {
  if (schema.items) return [schema.items, '[]'];
  if (schema.additionalProperties) return [schema.additionalProperties, '{}'];
  return [schema.properties?.[name], `.${name}`];
}

describe.each(ARBITRARIES)('random %ss', (kind, arbitrary) => {
  const spec = schemaOf(kind).properties!['spec']!;
  const made = fc.sample(arbitrary, { numRuns: 1500, seed: 1 }) as { spec: object }[];

  it('contain every field and every enum value in some of them', () => {
    const found = new Set(made.flatMap((resource) => seen(spec, resource.spec, 'spec')));
    const wanted = [...walk(spec)].flatMap(([path, schema]) => {
      const at = path === '' ? 'spec' : `spec.${path}`;
      return [at, ...(valuesOf(schema) ?? []).map((value) => `${at}=${value}`)];
    });
    expect(wanted.filter((path) => !found.has(path))).toEqual([]);
  });

  it('are the same for the same seed', () => {
    expect(fc.sample(arbitrary, { numRuns: 20, seed: 1 })).toEqual(made.slice(0, 20));
  });
});

describe('built resources', () => {
  it('are resources as the engine takes them', () => {
    const resources: Resource<object>[] = [aSignalingGateway(), aRelayPool(), anAccessRole(), aRetentionPolicy()] as const satisfies Resource<object>[];
    expect(new Set(resources.map(({ metadata }) => metadata.uid)).size).toBe(4);
    expect(resources.map(({ status }) => status)).toEqual(Array(4).fill({ observedGeneration: -1, conditions: [] }));
  });

  it('take overrides of spec, metadata and status, and keep the defaults beside them', () => {
    const gateway = aSignalingGateway({
      listener: { bindAddresses: ['10.8.0.1'] },
      metadata: { name: 'other', namespace: 'team' },
      status: { observedGeneration: 3 },
    });
    expect(gateway.spec.listener).toEqual({ port: 8443, bindAddresses: ['10.8.0.1'] });
    expect(gateway.metadata).toMatchObject({ name: 'other', namespace: 'team', generation: 1 });
    expect(gateway.metadata.uid).not.toBe(aSignalingGateway().metadata.uid);
    expect(gateway.status).toEqual({ observedGeneration: 3, conditions: [] });
  });
});

describe('random AccessRoles', () => {
  it('never conflict with themselves: seed 25 once made a role y that did', () => {
    const roles = Array.from({ length: 8 }, (_, index) => fc.sample(accessRoles, { numRuns: 200, seed: 20 + index })).flat();
    const own = roles.filter(({ metadata, spec }) => spec.conflictsWith?.includes(metadata.name));
    expect(own.map(({ metadata }) => metadata.name)).toEqual([]);
    expect(roles.some(({ spec }) => (spec.conflictsWith ?? []).length > 1)).toBe(true);
  });
});
