/* Where a field of a planned object stands in the live one: others may have put items of theirs between ours. */
import { pointerOf, stepsOf, valueAt } from '../engine/json-pointer.js';

/** A JSON patch operation that makes the whole patch fail when `path` holds something else (RFC 6902, 4.6). */
export interface TestOperation {
  readonly op: 'test';
  readonly path: string;
  readonly value: unknown;
}

/** A place in a live object. */
export interface Place {
  readonly pointer: string;
  /** Hold as long as every list item on the way is where it was. */
  readonly tests: readonly TestOperation[];
}

/** Fields by which the API server tells list items apart (listMapKeys), the most telling first. */
const LIST_MAP_KEYS: readonly (readonly string[])[] = [
  ['mountPath'],
  ['containerPort', 'protocol'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['uid'],
  ['ip'],
  ['port', 'protocol'],
  ['name'],
];

type Item = Readonly<Record<string, unknown>>;

/** Where in `live` that is what `pointer` names in `planned`; undefined while a list item on the way is missing. */
export function placeIn(live: unknown, planned: unknown, pointer: string): Place | undefined {
  const place: string[] = [];
  const tests: TestOperation[] = [];
  let wanted = planned;
  for (const step of stepsOf(pointer)) {
    const keys = Array.isArray(wanted) ? keysOf(wanted[Number(step)]) : [];
    const standing = valueAt(live, pointerOf(place));
    const key = keys.length === 0 ? step : indexOf(standing, keys);
    if (key === undefined) return undefined;
    place.push(key);
    for (const [name, value] of keys) {
      tests.push({ op: 'test', path: pointerOf([...place, name]), value });
    }
    wanted = (wanted as Item | undefined)?.[step];
  }
  return { pointer: pointerOf(place), tests };
}

/** What stands in `live` where `pointer` names a field in `planned`. */
export function valueIn(live: unknown, planned: unknown, pointer: string): unknown {
  const place = placeIn(live, planned, pointer);
  return place && valueAt(live, place.pointer);
}

/** None: the item has no keys of its own, so it is where it was planned. */
function keysOf(item: unknown): readonly (readonly [string, unknown])[] {
  if (typeof item !== 'object' || item === null) return [];
  const names = LIST_MAP_KEYS.find((all) => all.every((name) => name in item)) ?? [];
  return names.map((name) => [name, (item as Item)[name]]);
}

function indexOf(list: unknown, keys: readonly (readonly [string, unknown])[]): string | undefined {
  const at = ((list ?? []) as readonly Item[]).findIndex((item) =>
    keys.every(([name, value]) => item[name] === value),
  );
  return at < 0 ? undefined : String(at);
}
