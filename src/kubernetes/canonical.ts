import { createHash } from 'node:crypto';
import type { KubernetesObject } from './object.js';
import { canonicalQuantity } from './quantity.js';

/** JSON with sorted keys and no white space: equal values give equal text. Fields that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value ?? null);
  // Built by appending: this runs over every object that a watch brings.
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const field = value[key];
    if (field === undefined) continue;
    text += `${text === '' ? '{' : ','}${JSON.stringify(key)}:${canonicalJson(field)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** SHA-256 of `value` as canonical JSON, base64url (43 characters). */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url');
}

/**
 * Maps from strings to strings (or quantities): the API server drops them when they are empty. An empty
 * structure (`emptyDir: {}`, `podSelector: {}`) says something and stays.
 */
const DROPPED_WHEN_EMPTY: ReadonlySet<string> = new Set([
  'annotations',
  'binaryData',
  'data',
  'labels',
  'limits',
  'matchLabels',
  'nodeSelector',
  'requests',
]);

/** Fields whose zero value the API server drops: Go cannot tell it from "not set" (`omitempty`, no pointer). */
const DROPPED_WHEN_ZERO: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['hostIPC', false],
  ['hostNetwork', false],
  ['hostPID', false],
  ['paused', false],
  ['publishNotReadyAddresses', false],
  ['readOnly', false],
  ['stdin', false],
  ['tty', false],
  ['initialDelaySeconds', 0],
  ['minReadySeconds', 0],
  ['clusterIP', ''],
  ['medium', ''],
  ['subPath', ''],
  ['value', ''],
]);

/** Groups whose objects pass through Go types on the server; all others are custom resources, kept as sent. */
const BUILT_IN = /^(?:v1|(?:apps|autoscaling|batch|policy|[a-z.]+\.k8s\.io)\/.+)$/;

/** Maps whose values are quantities. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set(['limits', 'requests']);

/** Fields that are quantities. */
const QUANTITIES: ReadonlySet<string> = new Set(['sizeLimit']);

/**
 * `object` as the API server will store what it sees of it: no nulls, no empty lists and maps and zero values
 * where it drops them, quantities in their canonical form. What is sent in this form comes back unchanged, so
 * that the hash of what we want equals the hash of what we own (docs/engine.md, Canonical forms). Of a custom
 * resource only `metadata` passes through Go types. Does not change `object`.
 */
export function canonicalObject<T extends KubernetesObject>(object: T): T {
  if (!BUILT_IN.test(object.apiVersion)) {
    return { ...object, metadata: canonicalFields({ ...object.metadata }) };
  }
  const { data, ...rest }: KubernetesObject = object;
  const whole = canonicalFields(rest);
  // The data of a ConfigMap, a Secret or a ControllerRevision is not ours to read meaning into.
  const kept = isRecord(data) && Object.keys(data).length === 0 ? undefined : data;
  return (kept === undefined || kept === null ? whole : { ...whole, data: kept }) as T;
}

function canonicalFields(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) {
    const canonical = canonicalField(key, value);
    if (canonical !== undefined) fields[key] = canonical;
  }
  return fields;
}

function canonicalField(key: string, value: unknown): unknown {
  if (isDropped(key, value)) return undefined;
  if (Array.isArray(value)) return value.map(canonicalItem);
  if (QUANTITIES.has(key)) return quantity(value);
  if (!isRecord(value)) return value;
  return QUANTITY_MAPS.has(key) ? quantities(value) : canonicalFields(value);
}

function isDropped(key: string, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return DROPPED_WHEN_EMPTY.has(key) && Object.keys(value).length === 0;
  return DROPPED_WHEN_ZERO.get(key) === value;
}

function canonicalItem(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(canonicalItem);
  return isRecord(item) ? canonicalFields(item) : item;
}

function quantities(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, quantity(value)]));
}

function quantity(value: unknown): unknown {
  if (typeof value === 'number') return canonicalQuantity(String(value)) ?? value;
  return typeof value === 'string' ? (canonicalQuantity(value) ?? value) : value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
