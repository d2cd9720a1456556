import { describe, expect, it } from '@jest/globals';

import { keySecret } from '../../../test/key-secret-bed.js';
import type { Child } from '../../kubernetes/cluster.js';
import { MAX_COLUMN_KEYS, planColumnKeys } from './column-keys.js';
import type { ColumnKeyFact } from './facts.js';
import type { ColumnKeysOrder } from './orders.js';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const DAY = 86_400;
const metadata = { name: 'edge-gateway-column-keys', namespace: 'chat' };

/** A gateway's Secret over time: plans, and does with the facts what the keysmith would do. */
class ColumnBed {
  seconds = 0;
  secret: Child | undefined;
  #made = 0;

  plan(wishes: { readonly isRunning?: boolean; readonly rotate?: string } = {}) {
    return planColumnKeys({
      secret: this.secret,
      metadata,
      everySeconds: DAY,
      isRunning: true,
      now: new Date(NOON + this.seconds * 1000),
      ...wishes,
    });
  }

  settle(wishes: Parameters<ColumnBed['plan']>[0] = {}): ColumnKeysOrder | undefined {
    const { order } = this.plan(wishes);
    if (order) this.#fulfil(order);
    expect(this.plan(wishes).order).toBeUndefined();
    return order;
  }

  ids(state: ColumnKeyFact['state']): string[] {
    return this.plan().facts.flatMap((fact) => (fact.state === state ? [fact.id] : []));
  }

  change(change: Partial<Child>): void {
    this.secret = { ...this.secret!, ...change };
  }

  #fulfil({ make, keep, rotated }: ColumnKeysOrder): void {
    const made = make.map((fact) => ({
      id: String((this.#made += 1)).padStart(16, '0'),
      ...fact,
    }));
    const annotations: Record<string, string> = {
      'sallyport.dev/keys': JSON.stringify([...made, ...keep]),
      'sallyport.dev/material': 'hash',
      ...(rotated === undefined ? {} : { 'sallyport.dev/rotated': rotated }),
    };
    this.secret = keySecret(metadata, annotations);
  }
}

function aBed(): ColumnBed {
  const bed = new ColumnBed();
  bed.settle();
  return bed;
}

describe('the column keys of a gateway', () => {
  it('begin as one that seals and one that waits', () => {
    const bed = new ColumnBed();
    expect(bed.settle()?.reason).toBe('KeysCreated');
    expect([bed.ids('current').length, bed.ids('next').length]).toEqual([1, 1]);
  });

  it('rotate on schedule to the key that every replica has had for a day', () => {
    const bed = aBed();
    const [[current], [next]] = [bed.ids('current'), bed.ids('next')];
    bed.seconds = DAY - 1;
    expect(bed.plan().order).toBeUndefined();
    expect(bed.plan().nextAt).toEqual(new Date(NOON + DAY * 1000));
    bed.seconds = DAY;
    expect(bed.settle()?.reason).toBe('KeysRotated');
    expect([bed.ids('current'), bed.ids('retired')]).toEqual([[next], [current]]);
  });

  it('wait on schedule while no pod runs that could seal again, and follow at once when one does', () => {
    const bed = aBed();
    bed.seconds = 90 * DAY;
    expect(bed.plan({ isRunning: false }).order).toBeUndefined();
    expect(bed.settle()?.reason).toBe('KeysRotated');
  });

  it('rotate for each new token once, and not before the next key was published for 180 seconds', () => {
    const bed = aBed();
    bed.seconds = 179;
    const early = bed.plan({ rotate: 'now' });
    expect([early.order, early.rotationPending]).toEqual([undefined, true]);
    expect(early.nextAt).toEqual(new Date(NOON + 180_000));
    bed.seconds = 180;
    expect(bed.settle({ rotate: 'now' })?.reason).toBe('RotationRequested');
    expect(bed.plan({ rotate: 'now' }).rotationPending).toBeUndefined();
    expect(bed.plan({ rotate: 'again' }).rotationPending).toBe(true);
  });

  it('keep what sealed within thirty days, and thirty keys in any case', () => {
    const bed = aBed();
    const [first = ''] = bed.ids('current');
    for (let day = 1; day <= 31; day += 1) {
      bed.seconds = day * DAY;
      bed.settle();
    }
    expect(bed.ids('retired')).toContain(first);
    bed.seconds = 32 * DAY;
    bed.settle();
    expect(bed.ids('retired')).not.toContain(first);
    expect(bed.ids('retired').length).toBeGreaterThanOrEqual(30);
  });

  it('lose nothing when a gateway is away for a year', () => {
    const bed = aBed();
    const [sealing] = bed.ids('current');
    bed.seconds = 365 * DAY;
    bed.settle({ isRunning: false });
    for (let day = 366; day < 390; day += 1) {
      bed.seconds = day * DAY;
      bed.settle();
    }
    expect(bed.ids('retired')).toContain(sealing);
  });

  it('are never more than the file holds, however often a rotation is asked for', () => {
    const bed = aBed();
    const [first] = bed.ids('current');
    for (let at = 1; at < 100; at += 1) {
      bed.seconds = at * 180;
      bed.settle({ rotate: `token ${at}` });
    }
    expect(bed.plan().facts).toHaveLength(MAX_COLUMN_KEYS);
    expect(bed.ids('retired')).toContain(first);
    expect(bed.plan({ rotate: 'last' })).toMatchObject({ rotationPending: true });
  });

  it('T51: are followed by new ones when somebody changed the Secret, and what is there still opens', () => {
    const bed = aBed();
    bed.change({ view: { dataHash: 'other' } });
    const { order } = bed.plan();
    expect(order).toMatchObject({ reason: 'KeyMaterialChanged', carry: 'Found', keep: [] });
    expect(order?.make.map(({ state }) => state)).toEqual(['current', 'next']);
  });

  it('are no longer known when their annotation is gone, yet still carried over', () => {
    const bed = aBed();
    bed.change({ annotations: {} });
    expect(bed.plan().order).toMatchObject({ reason: 'KeyMaterialChanged', carry: 'Found' });
  });

  it('plan the same thing twice', () => {
    const bed = aBed();
    bed.seconds = 2 * DAY;
    expect(bed.plan()).toEqual(bed.plan());
  });
});
