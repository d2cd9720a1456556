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
 * Moves the slots of `range` from `ring` to `other`, larger or smaller, and gives `other`. The slot of number n begins
 * at (n mod slots) x `width`; slots are a power of two, so this is right beyond 2^32 too: bitwise operators keep the low
 * bits of a whole number. `range` fits both.
 */
export function moveRing<Value, Ring extends Slots<Value>>(
  ring: Slots<Value>,
  other: Ring,
  { from, to }: RingRange,
  width = 1,
): Ring {
  const [mask, otherMask] = [ring.length / width - 1, other.length / width - 1];
  for (let number = from; number < to; number++)
    for (let i = 0; i < width; i++) {
      const value = ring[(number & mask) * width + i];
      // A slot of a typed array always has a value; of an array, undefined is one.
      other[(number & otherMask) * width + i] = value as Value;
    }
  return other;
}

/** A ring is worth halving when it is larger than at first and less than a quarter of it is in use. */
export const mayHalve = (slots: number, firstSlots: number, used: number): boolean =>
  slots > firstSlots && used * 4 < slots;
