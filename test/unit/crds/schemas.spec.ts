import { describe, expect, it } from '@jest/globals';
import { valuesOf, walk, type Schema } from '../../../config/tooling/generate/schema.js';
import { GATEWAY_DEFAULTS } from '../../../src/policy/defaults.js';
import { RELAY_POOL_DEFAULTS } from '../../../src/policy/relay-pool.js';
import { ALL_CRDS, schemaOf } from '../../defaulting.js';

const KINDS = ALL_CRDS.map(({ crd }) => crd.spec.names.kind);
/** Metadata is described by Kubernetes, and the API server refuses a description of ours there. */
const everySchema = (kind: string): [string, Schema][] =>
  [...walk(schemaOf(kind))].filter(([path]) => path !== 'metadata').map(([path, schema]) => [path, schema]);
const breaking = (kind: string, rule: (path: string, schema: Schema) => boolean): string[] =>
  everySchema(kind).filter(([path, schema]) => !rule(path, schema)).map(([path]) => path);
const isItem = (path: string): boolean => path.endsWith('[]') || path.endsWith('{}');

describe.each(KINDS)('the schema of %s', (kind) => {
  it('describes every field', () => {
    const described = (path: string, { description }: Schema): boolean =>
      isItem(path) || /^[A-Za-z0-9].*[.]$/s.test(description ?? '');
    expect(breaking(kind, described)).toEqual([]);
  });

  it('bounds every string, list, map and number', () => {
    expect(breaking(kind, (_, schema) => isBounded(schema))).toEqual([]);
  });

  it('has structs only: no free-form object', () => {
    const known = (path: string, schema: Schema): boolean =>
      schema.type !== 'object' ||
      schema.properties !== undefined ||
      schema.additionalProperties !== undefined ||
      path === 'spec.listener.tls.internal';
    expect(breaking(kind, known)).toEqual([]);
    expect(JSON.stringify(schemaOf(kind))).not.toMatch(/preserve-unknown-fields|int-or-string|embedded-resource/);
  });

  it('writes enums in CamelCase, but for the names of data classes and protocols', () => {
    const camel = (path: string, schema: Schema): boolean =>
      path.endsWith('.class') || (valuesOf(schema) ?? []).every((value) => /^[A-Z][A-Za-z0-9]*$/.test(value));
    expect(breaking(kind, camel)).toEqual([]);
  });

  it('names the unit of every duration', () => {
    const named = (path: string, schema: Schema): boolean => {
      const name = path.replace(/^.*[.]/, '');
      if (/(timeout|duration|interval|period|lifetime|ttl)$/i.test(name)) return false;
      const seconds = /\bseconds\b/i.test(schema.description ?? '') && schema.type === 'integer';
      return !seconds || /seconds$/i.test(name);
    };
    expect(breaking(kind, named)).toEqual([]);
  });

  it('says of every optional field of spec what leaving it out means', () => {
    expect(optionalFields(schemaOf(kind)).filter(([, schema]) => !saysUnset(schema)).map(([path]) => path)).toEqual([]);
  });

  it('has rules whose messages say what to write instead, in at most 320 characters', () => {
    const messages = everySchema(kind).flatMap(([, schema]) => (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message));
    const instructive = /\b(write|remove|raise|lower|add|create|use|copy|leave|replace|set|put|keep|name)\b/i;
    expect(messages.filter((message) => message.length > 320 || !instructive.test(message))).toEqual([]);
  });

  it('has a revision that tools can read', () => {
    expect(schemaOf(kind).description).toMatch(/ Schema revision [1-9][0-9]*[.]$/);
  });
});

function isBounded(schema: Schema): boolean {
  switch (schema.type) {
    case 'string':
      return schema.maxLength !== undefined || schema.enum !== undefined || schema.format === 'date-time';
    case 'array':
      return schema.maxItems !== undefined;
    case 'integer':
      return schema.minimum !== undefined && schema.maximum !== undefined;
    case 'object':
      return schema.additionalProperties === undefined || schema.maxProperties !== undefined;
    case 'boolean':
      return true;
  }
}

function optionalFields(root: Schema): [string, Schema][] {
  const all = [...walk(root)];
  return all.filter(([path, schema]): boolean => {
    if (!path.startsWith('spec.') || isItem(path) || schema.default !== undefined) return false;
    const parent = all.find(([at]) => at === path.replace(/[.][^.]+$/, ''))?.[1];
    return !parent?.required?.includes(path.replace(/^.*[.]/, ''));
  }).map(([path, schema]) => [path, schema]);
}

/** A group of optional fields needs no sentence of its own: its fields have them. */
function saysUnset({ description = '', properties }: Schema): boolean {
  if (/\bUnset\b|\bDefault: /.test(description)) return true;
  return properties !== undefined && Object.values(properties).every((child) => child.default !== undefined || saysUnset(child));
}

describe('the fields that a policy can constrain', () => {
  /** architecture.md 9: the list is binding. */
  const CONSTRAINABLE = [
    /^spec[.]authentication([.]|$)/,
    /^spec[.]leases[.]lifetimeSeconds$/,
    /^spec[.]keyRotation[.]/,
    /^spec[.]rateLimits[.]/,
    /^spec[.]audit[.]/,
    /^spec[.]networkPolicy[.]extraEgress$/,
    /^spec[.]scheduling[.]regions$/,
    /^spec[.]observability[.]logLevel$/,
    /^spec[.]hardening[.]/,
    /^spec[.]image$/,
  ];
  const constrainable = (kind: string): [string, Schema][] =>
    everySchema(kind).filter(([path]) => CONSTRAINABLE.some((pattern) => pattern.test(path)));

  it.each(['SignalingGateway', 'RelayPool'])('have no default in the CRD of %s, nor do the objects around them', (kind) => {
    const fields = constrainable(kind);
    expect(fields.length).toBeGreaterThan(kind === 'RelayPool' ? 10 : 30);
    const around = everySchema(kind).filter(([path]) => fields.some(([field]) => field.startsWith(`${path}.`)));
    const written = [...fields, ...around].filter(([path, { default: value }]) => {
      if (path.endsWith('.protocol')) return false; // Part of one peer, not a field of its own.
      return value !== undefined && JSON.stringify(value) !== '{}';
    });
    expect(written.map(([path]) => path)).toEqual([]);
  });

  it.each([
    ['SignalingGateway', GATEWAY_DEFAULTS, 20],
    ['RelayPool', RELAY_POOL_DEFAULTS, 7],
  ] as const)('of %s are documented with the defaults of src/policy', (kind, defaults, many) => {
    const documented = constrainable(kind).flatMap(([path, { type, description = '' }]): [string, string][] => {
      const value = /Default: (?<value>[A-Za-z0-9]+)[.]/.exec(description)?.groups?.['value'];
      return type === 'object' || type === 'array' || value === undefined ? [] : [[path.replace('spec.', ''), value]];
    });
    expect(documented.length).toBeGreaterThan(many);
    expect(documented).toEqual(documented.map(([path]) => [path, text(at(defaults, path))]));
  });
});

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? 'absent');
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], value);
}

describe('the fields that SignalingGateway and RelayPool share', () => {
  it.each(['exposure', 'networkPolicy', 'observability', 'resources', 'scheduling', 'image', 'hardening', 'renderVersion'])(
    '%s is the same in both',
    (field) => {
      const [gateway, pool] = ['SignalingGateway', 'RelayPool'].map((kind) => schemaOf(kind).properties?.['spec']?.properties?.[field]);
      expect(gateway).toBeDefined();
      expect(gateway).toEqual(pool);
    },
  );
});
