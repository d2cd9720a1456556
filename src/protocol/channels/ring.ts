/** What a ring is made of; an array or a typed array. */
interface Slots<Value> {
  readonly length: number;
  [index: number]: Value;
}

/** The numbers whose slots are in use: from `from` up to and without `to`; never more than a ring has slots. */
export interface RingRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Moves the slots of `range` from `ring` to `larger` and gives `larger`. The slot of number n begins at
 * (n mod slots) x `width`; slots are a power of two, so this is right beyond 2^32 too: bitwise operators keep the low
 * bits of a whole number.
 */
export function moveRing<Value, Ring extends Slots<Value>>(
  ring: Slots<Value>,
  larger: Ring,
  { from, to }: RingRange,
  width = 1,
): Ring {
  const [mask, largerMask] = [ring.length / width - 1, larger.length / width - 1];
  for (let number = from; number < to; number++)
    for (let i = 0; i < width; i++) {
      const value = ring[(number & mask) * width + i];
      // A slot of a typed array always has a value; of an array, undefined is one.
      larger[(number & largerMask) * width + i] = value as Value;
    }
  return larger;
}
