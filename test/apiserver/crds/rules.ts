import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { versionOf, walk, type Schema } from '../../../config/tooling/generate/schema.js';
import { aRelayPool, aReplicatedGateway, aRetentionPolicy, aSignalingGateway, anAccessRole } from '../../builders.js';
import { ALL_CRDS } from '../../defaulting.js';

/** JSON. */
export type Value = unknown;
type Fields = Record<string, Value>;

/** Samples of one CEL rule: test/apiserver/crds/rules/*.yaml. */
export interface RuleSample {
  readonly kinds: readonly string[];
  /** Paths below spec that have the rule, `hosts[]` for items; `spec` and `(resource)` for the rules of these. */
  readonly at: readonly string[];
  /** How its message begins. */
  readonly says: string;
  /** Of a test that shows a promise. */
  readonly title?: string;
  /** The resource into which values are put: the plainest one, or a gateway with PostgreSQL and NATS. */
  readonly base?: 'replicated';
  /** Further fields of spec. */
  readonly with?: Fields;
  /** The value in the stored resource, for a rule about changes. */
  readonly before?: Value;
  readonly accepted: Value;
  readonly refused: Value;
  readonly alsoRefused?: readonly Value[];
  /** Beginnings of messages of other rules that refuse the same value. */
  readonly also?: readonly string[];
}

/** One rule at one place of one kind. */
export interface PlacedRule {
  readonly kind: string;
  readonly at: string;
  readonly rule: string;
  readonly message: string;
}

/** One rule with its sample. */
export interface Case extends PlacedRule {
  readonly sample: RuleSample;
}

const FOLDER = fileURLToPath(new URL('./rules', import.meta.url));

/** Every sample of rules/*.yaml. */
export const SAMPLES: readonly RuleSample[] = readdirSync(FOLDER)
  .sort()
  .flatMap((file) => load(readFileSync(`${FOLDER}/${file}`, 'utf8')) as RuleSample[]);

/** Every CEL rule of crds/. */
export const RULES: readonly PlacedRule[] = ALL_CRDS.flatMap(({ crd }) =>
  [...walk(versionOf(crd).schema.openAPIV3Schema)].flatMap(([path, schema]) =>
    rulesAt(crd.spec.names.kind, placeOf(path), schema),
  ),
);

function rulesAt(kind: string, at: string, schema: Schema): PlacedRule[] {
  return (schema['x-kubernetes-validations'] ?? []).map(({ rule, message }) => ({ kind, at, rule, message }));
}

function placeOf(path: string): string {
  return path === '' ? '(resource)' : path.replace(/^spec\./, '');
}

/** Each sample with each rule that it shows. */
export const CASES: readonly Case[] = SAMPLES.flatMap((sample) =>
  RULES.filter(
    ({ kind, at, message }) =>
      sample.kinds.includes(kind) && sample.at.includes(at) && message.startsWith(sample.says),
  ).map((rule) => ({ ...rule, sample })),
);

/** The resource of `rule` with `value` at its place, as a user writes it. */
export function resourceWith({ kind, at, sample }: Case, value: Value): Fields {
  const resource = plain(kind, sample.base);
  if (at === '(resource)') return merged(resource, value as Fields);
  const spec = merged(resource['spec'] as Fields, sample.with ?? {});
  return { ...resource, spec: at === 'spec' ? merged(spec, value as Fields, 1) : put(spec, at.split('.'), value) };
}

function plain(kind: string, base: RuleSample['base']): Fields {
  const built = base === 'replicated' ? aReplicatedGateway() : BUILDERS[kind]?.();
  const { apiVersion, spec } = structuredClone(built) as unknown as Fields;
  return { apiVersion, kind, metadata: { name: 'sample' }, spec };
}

const BUILDERS: Readonly<Record<string, () => object>> = {
  SignalingGateway: aSignalingGateway,
  RelayPool: aRelayPool,
  AccessRole: anAccessRole,
  RetentionPolicy: aRetentionPolicy,
};

/** `b` over `a`, objects field by field down to `depth`; null removes a field. */
function merged(a: Fields, b: Fields, depth = 3): Fields {
  const both = { ...a, ...b };
  const entries = Object.entries(both).map(([name, value]): [string, Value] => {
    const there = a[name];
    const inner = depth > 1 && name in b && isFields(value) && isFields(there);
    return [name, inner ? merged(there, value, depth - 1) : value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function isFields(value: Value): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function put(into: Fields, [step, ...rest]: readonly string[], value: Value): Fields {
  if (step === undefined) return into;
  const name = step.replace('[]', '');
  const there = into[name];
  if (!step.endsWith('[]')) {
    return { ...into, [name]: rest.length === 0 ? value : put(isFields(there) ? there : {}, rest, value) };
  }
  const [first = {}] = Array.isArray(there) ? (there as Fields[]) : [NEW_ITEM];
  return { ...into, [name]: [rest.length === 0 ? value : put(withoutPeer(first), rest, value)] };
}

/** What an item of a list needs beside the field that is tested. */
const NEW_ITEM: Fields = { ports: [{ port: 443 }] };

/** A peer has one of two fields; the one that is put replaces the other. */
function withoutPeer(item: Fields): Fields {
  return Object.fromEntries(Object.entries(item).filter(([name]) => name !== 'cidr'));
}
