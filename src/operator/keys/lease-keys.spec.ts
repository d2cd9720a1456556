import { describe, expect, it } from '@jest/globals';

import { aGateway, KeySecretBed, NOON } from '../../../test/key-secret-bed.js';
import { instant } from './facts.js';
import { acceptedKeys, keyStatus } from './lease-keys.js';

describe('the lease keys of a new gateway', () => {
  it('are a current and a next one, made in one write', () => {
    const gateway = new KeySecretBed();
    expect(gateway.settle()).toEqual(['KeysCreated']);
    expect(gateway.facts().map(({ state }) => state)).toEqual(['current', 'next']);
    expect(gateway.in('current')).toMatchObject({ notBefore: '2026-03-01T12:00:00Z' });
  });

  it('S22: publish the next key at least 180 seconds before it may sign', () => {
    const { publishedAt, notBefore } = aGateway().in('next')!;
    expect(Date.parse(notBefore) - Date.parse(publishedAt)).toBe(180_000);
  });

  it('look again when the current key is due', () => {
    expect(aGateway().plan().nextAt).toEqual(new Date(NOON + 86_400_000));
  });
});

describe('lease keys on schedule', () => {
  it('S22: rotate through ten days without a moment in which no published key may sign', () => {
    const gateway = aGateway();
    const signedBy: string[] = [];
    for (let second = 0; second < 10 * 86_400; second += 600) {
      gateway.seconds = second;
      gateway.settle();
      const current = gateway.in('current')!;
      const published = Date.parse(current.publishedAt);
      expect(Date.parse(current.notBefore)).toBeLessThanOrEqual(gateway.now.getTime());
      expect(Date.parse(current.notAfter)).toBeGreaterThan(gateway.now.getTime());
      if (signedBy.length > 0 && signedBy.at(-1) !== current.kid) {
        expect(gateway.now.getTime() - published).toBeGreaterThanOrEqual(180_000);
      }
      if (signedBy.at(-1) !== current.kid) signedBy.push(current.kid);
    }
    expect(signedBy).toHaveLength(10);
    expect(new Set(signedBy).size).toBe(10);
  });

  it('S22: accept what the old key signed for the overlap, and refuse it after', () => {
    const gateway = aGateway();
    const old = gateway.in('current')!.kid;
    gateway.seconds = 86_400;
    expect(gateway.settle()).toEqual(['KeysRotated']);
    expect(gateway.in('retired')).toMatchObject({ kid: old, notAfter: '2026-03-02T12:30:00Z' });
    gateway.seconds += 1_799;
    expect(acceptedKeys(gateway.facts()).map((key) => key.kid)).toContain(old);
    expect(gateway.plan().nextAt).toEqual(new Date('2026-03-02T12:30:00Z'));
    gateway.seconds += 1;
    expect(acceptedKeys(gateway.facts()).map((key) => key.kid)).not.toContain(old);
  });

  it('S22: carry the private half of the key that signs now and of the one before, and of none older', () => {
    const gateway = aGateway();
    const [first, second] = [gateway.in('current')!.kid, gateway.in('next')!.kid];
    gateway.seconds = 86_400;
    gateway.settle();
    expect(gateway.orders.at(-1)!.carry).toEqual([second, first]);
    expect(gateway.in('current')).toMatchObject({ kid: second, notBefore: '2026-03-02T12:00:00Z' });
    const third = gateway.in('next')!.kid;
    gateway.seconds = 2 * 86_400;
    gateway.settle();
    expect(gateway.orders.at(-1)!.carry).toEqual([third, second]);
  });

  it('need no write when a retired key ends', () => {
    const gateway = aGateway();
    gateway.seconds = 86_400;
    gateway.settle();
    gateway.seconds += 3_600;
    expect(gateway.plan().order).toBeUndefined();
    expect(gateway.in('retired')).toBeUndefined();
  });

  it('survive an operator that was away for a whole rotation', () => {
    const gateway = aGateway();
    gateway.seconds = 2 * 86_400 + 1_000;
    const { current } = { current: gateway.in('current')! };
    expect(Date.parse(current.notAfter)).toBeGreaterThan(gateway.now.getTime());
    expect(gateway.settle()).toEqual(['KeysRotated']);
  });

  it('start again after an absence in which every key has ended', () => {
    const gateway = aGateway();
    gateway.seconds = 30 * 86_400;
    expect(gateway.settle()).toEqual(['KeyExpired']);
    expect(gateway.in('current')).toMatchObject({ notBefore: instant(gateway.now) });
  });

  it('T51: recover from a clock that had run a year ahead', () => {
    const gateway = new KeySecretBed();
    gateway.seconds = 365 * 86_400;
    gateway.settle();
    gateway.seconds = 0;
    expect(gateway.settle()).toEqual(['KeyExpired']);
    expect(Date.parse(gateway.in('current')!.notBefore)).toBeLessThanOrEqual(NOON);
  });

  it('plan the same thing twice', () => {
    const gateway = aGateway();
    gateway.seconds = 86_400;
    expect(gateway.plan()).toEqual(gateway.plan());
  });
});

describe('a rotate token', () => {
  it('S22: rotates once, when the next key has been published for 180 seconds', () => {
    const gateway = aGateway();
    gateway.seconds = 60;
    expect(gateway.plan({ rotate: 'now' })).toMatchObject({ rotationPending: true });
    expect(gateway.plan({ rotate: 'now' }).order).toBeUndefined();
    expect(gateway.plan({ rotate: 'now' }).nextAt).toEqual(new Date(NOON + 180_000));
    gateway.seconds = 180;
    expect(gateway.settle({ rotate: 'now' })).toEqual(['RotationRequested']);
    expect(gateway.plan({ rotate: 'now' }).rotationPending).toBeUndefined();
    gateway.seconds = 3_600;
    expect(gateway.settle({ rotate: 'now' })).toEqual([]);
    expect(gateway.settle({ rotate: 'again' })).toEqual(['RotationRequested']);
  });

  it('S21: is kept as a digest only', () => {
    const gateway = aGateway();
    gateway.seconds = 600;
    gateway.settle({ rotate: 'hunter2-canary' });
    expect(JSON.stringify(gateway.secret)).not.toContain('canary');
  });

  it('that stands at creation rotates nothing', () => {
    const gateway = new KeySecretBed();
    expect(gateway.settle({ rotate: 'old' })).toEqual(['KeysCreated']);
    gateway.seconds = 600;
    expect(gateway.settle({ rotate: 'old' })).toEqual([]);
  });

  it('that changes every minute never makes more keys than status can list', () => {
    const gateway = aGateway();
    for (let minute = 0; minute < 600; minute += 1) {
      gateway.seconds = minute * 60;
      gateway.settle({ rotate: `token ${minute}` });
      expect(gateway.facts().length).toBeLessThanOrEqual(14);
      expect(gateway.in('current')).toBeDefined();
    }
  });
});

describe('status.keys', () => {
  it('lists ids and dates of what is current, next and retired', () => {
    const gateway = aGateway();
    const revoke = gateway.in('current')!.kid;
    gateway.settle({ revoke });
    expect(keyStatus(gateway.facts()).map(({ state }) => state)).toEqual(['Next', 'Current']);
    expect(Object.keys(keyStatus(gateway.facts())[0]!).sort()).toEqual([
      'kid',
      'notAfter',
      'notBefore',
      'publishedAt',
      'state',
    ]);
  });
});
