import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DelayHeap } from './delay-heap.js';
import { RingBuffer } from './ring-buffer.js';

describe('a ring buffer', () => {
  it('does what an array does', () => {
    const steps = fc.array(fc.oneof(fc.nat(), fc.constant('shift' as const)), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (actions) => {
        const ring = new RingBuffer<number>();
        const model: number[] = [];
        for (const action of actions) {
          if (action === 'shift') expect(ring.shift()).toBe(model.shift());
          else {
            ring.push(action);
            model.push(action);
          }
          expect([ring.length, ring.peek()]).toEqual([model.length, model[0]]);
        }
        ring.clear();
        expect([ring.length, ring.peek(), ring.shift()]).toEqual([0, undefined, undefined]);
      }),
    );
  });
});

describe('a delay heap', () => {
  it('gives what is due, earliest first, equals in the order in which they came', () => {
    const entries = fc.array(fc.nat(20), { maxLength: 200 });
    fc.assert(
      fc.property(entries, fc.nat(20), (times, nowMs) => {
        const heap = new DelayHeap<{ at: number; order: number }>();
        times.forEach((at, order) => {
          heap.push({ at, order }, at);
        });
        const due = times.map((at, order) => ({ at, order })).filter(({ at }) => at <= nowMs);
        due.sort((a, b) => a.at - b.at || a.order - b.order);
        const popped = Array.from({ length: due.length }, () => heap.popDue(nowMs));
        expect(popped).toEqual(due);
        expect(heap.popDue(nowMs)).toBeUndefined();
        expect(heap.length).toBe(times.length - due.length);
        const left = times.filter((at) => at > nowMs);
        expect(heap.nextDueMs).toBe(left.length === 0 ? undefined : Math.min(...left));
      }),
    );
  });
});
