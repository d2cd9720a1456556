import { describe, expect, it } from '@jest/globals';
import { FRAME_LIFETIME_MS, FrameOrder } from './frame-order.js';

const NOW = 1_700_000_000_000;

describe('frames of one sender', () => {
  it('are taken in the order of their numbers, with gaps, and never twice', () => {
    const order = new FrameOrder();
    const taken = [1, 2, 5, 5, 4, 6].map((n) => order.take('a', { n, at: NOW }, NOW));
    expect(taken).toEqual([true, true, true, false, false, true]);
  });
  it('are no frames of another one', () => {
    const order = new FrameOrder();
    expect(order.take('a', { n: 9, at: NOW }, NOW)).toBe(true);
    expect(order.take('b', { n: 1, at: NOW }, NOW)).toBe(true);
  });
  it('are not taken a minute after they were sent, nor a minute before', () => {
    const at = { n: 1, at: NOW };
    expect(new FrameOrder().take('a', at, NOW + FRAME_LIFETIME_MS)).toBe(true);
    expect(new FrameOrder().take('a', at, NOW + FRAME_LIFETIME_MS + 1)).toBe(false);
    expect(new FrameOrder().take('a', at, NOW - FRAME_LIFETIME_MS - 1)).toBe(false);
  });
  it('are not taken again when the sender is forgotten: they are too old then', () => {
    const order = new FrameOrder();
    const recorded = [1, 2, 3].map((n) => ({ n, at: NOW + n * 10_000 }));
    for (const frame of recorded) expect(order.take('a', frame, frame.at)).toBe(true);
    for (let later = NOW + 30_000; later < NOW + 200_000; later += 500) {
      order.take('b', { n: later, at: later }, later);
      for (const frame of recorded) expect(order.take('a', frame, later)).toBe(false);
    }
  });
  it('are not taken again when its clock was set back', () => {
    const order = new FrameOrder();
    expect(order.take('a', { n: 1, at: NOW + 50_000 }, NOW)).toBe(true);
    expect(order.take('a', { n: 2, at: NOW }, NOW)).toBe(true);
    order.take('b', { n: 1, at: NOW + 70_000 }, NOW + 70_000);
    expect(order.take('a', { n: 1, at: NOW + 50_000 }, NOW + 70_000)).toBe(false);
  });
});
