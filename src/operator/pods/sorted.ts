import { byCodeUnit } from '../../runtime/order.js';
import type { StringMap } from './shapes.js';

/** `map` with its keys in order: the same entries give the same bytes, however they were written. */
export function sortedMap(map: StringMap): StringMap {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => byCodeUnit(a, b)));
}

/** `text` as JSON with sorted keys at every depth: what goes into a ConfigMap is the same bytes for the same content. */
export function sortedJson(value: unknown): string {
  return `${JSON.stringify(sortedValue(value), null, 2)}\n`;
}

function sortedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedValue);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Readonly<Record<string, unknown>>)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => byCodeUnit(a, b));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortedValue(item)]));
}
