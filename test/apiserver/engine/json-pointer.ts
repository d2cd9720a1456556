/** RFC 6901 pointers to every place in `value`, parents before children; the leaves only when told. */
export function jsonPointers(value: unknown, leavesOnly: boolean, here = ''): string[] {
  const children = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const below = children.flatMap(([key, child]) =>
    jsonPointers(child, leavesOnly, `${here}/${escaped(key)}`),
  );
  const self = here !== '' && (!leavesOnly || children.length === 0) ? [here] : [];
  return [...self, ...below];
}

/** The value at `pointer`; undefined when there is none. */
export function valueAt(value: unknown, pointer: string): unknown {
  return stepsOf(pointer).reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    value,
  );
}

/** A copy of `object` with `value` at `pointer`. */
export function withValueAt<T>(object: T, pointer: string, value: unknown): T {
  const copy = structuredClone(object);
  const keys = stepsOf(pointer);
  const last = keys.pop();
  const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], copy);
  (parent as Record<string, unknown>)[last!] = value;
  return copy;
}

/** The steps of a pointer, unescaped. */
export function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The pointer with these steps. */
export function pointerOf(steps: readonly string[]): string {
  return steps.map((step) => `/${escaped(step)}`).join('');
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
