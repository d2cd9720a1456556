import { describe, expect, it } from '@jest/globals';

import type { Child } from '../../kubernetes/cluster.js';
import type { KeyFact } from './facts.js';
import { instant } from './facts.js';
import { acceptedKeys, keyStatus, planLeaseKeys } from './lease-keys.js';
import type { SigningKeysOrder } from './orders.js';
import type { KeyWishes, RelayConfirmation } from './signing-keys.js';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const SCHEDULE = { everySeconds: 86_400, overlapSeconds: 1_800 };
const metadata = { name: 'edge-gateway-lease-keys', namespace: 'chat' };

let made = 0;
const kid = () => `kid-${String((made += 1)).padStart(18, '0')}`;
const PUBLIC = 'A'.repeat(43);

/** A gateway's key Secret over time: plans, and does what the keysmith would do with the facts. */
class Gateway {
  secret: Child | undefined;
  seconds = 0;
  orders: SigningKeysOrder[] = [];

  get now(): Date {
    return new Date(NOON + this.seconds * 1000);
  }

  plan(wishes: KeyWishes = {}, relays?: readonly RelayConfirmation[]) {
    return planLeaseKeys({
      secret: this.secret,
      metadata,
      schedule: SCHEDULE,
      wishes,
      ...(relays === undefined ? {} : { relays }),
      now: this.now,
    });
  }

  /** Plans and fulfils until nothing is to do; gives the reasons. */
  settle(wishes: KeyWishes = {}, relays?: readonly RelayConfirmation[]): string[] {
    const reasons: string[] = [];
    for (;;) {
      const { order } = this.plan(wishes, relays);
      if (order === undefined) return reasons;
      if (reasons.length > 3) throw new Error(`does not settle: ${reasons.join()}`);
      reasons.push(order.reason);
      this.fulfil(order);
    }
  }

  fulfil(order: SigningKeysOrder): void {
    this.orders.push(order);
    const created = order.make.map((fact) => ({ kid: kid(), public: PUBLIC, ...fact }));
    this.write([...created, ...order.keep], order.rotated);
  }

  write(facts: readonly KeyFact[], rotated?: string): void {
    const annotations: Record<string, string> = {
      'sallyport.dev/keys': JSON.stringify(facts),
      'sallyport.dev/material': 'hash',
      ...(rotated === undefined ? {} : { 'sallyport.dev/rotated': rotated }),
    };
    this.secret = {
      ref: { apiVersion: 'v1', kind: 'Secret', ...metadata },
      uid: 'secret',
      resourceVersion: '1',
      generation: 0,
      ownedHash: '',
      labels: {},
      annotations,
      view: { dataHash: 'hash' },
    };
  }

  facts(): readonly KeyFact[] {
    return this.plan().facts;
  }

  in(state: KeyFact['state']): KeyFact | undefined {
    return this.facts().find((fact) => fact.state === state);
  }

  waitUntil(time: Date): void {
    this.seconds = (time.getTime() - NOON) / 1000;
  }
}

function aGateway(): Gateway {
  const gateway = new Gateway();
  gateway.settle();
  return gateway;
}

describe('the lease keys of a new gateway', () => {
  it('are a current and a next one, made in one write', () => {
    const gateway = new Gateway();
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

  it('carry only the private half of the key that signs now', () => {
    const gateway = aGateway();
    const next = gateway.in('next')!.kid;
    gateway.seconds = 86_400;
    gateway.settle();
    expect(gateway.orders.at(-1)).toMatchObject({ carry: [next] });
    expect(gateway.in('current')).toMatchObject({ kid: next, notBefore: '2026-03-02T12:00:00Z' });
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
    const gateway = new Gateway();
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
    const gateway = new Gateway();
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

describe('relays that confirm keys', () => {
  const relay = (...kids: string[]) => ({ relay: 'chat/eu/0', kids });

  it('hold up a rotation until each live one has the next key', () => {
    const gateway = aGateway();
    const [current, next] = gateway.facts().map((fact) => fact.kid) as [string, string];
    gateway.seconds = 600;
    const wishes = { rotate: 'now' };
    const waiting = gateway.plan(wishes, [relay(current, next), relay(current)]);
    expect(waiting.order).toBeUndefined();
    expect(waiting.problem?.reason).toBe('NextKeyUnconfirmed');
    expect(gateway.settle(wishes, [relay(current, next), relay(next)])).toEqual([
      'RotationRequested',
    ]);
  });

  it('no longer count when they do not have it 15 minutes after its publication', () => {
    const gateway = aGateway();
    const wishes = { rotate: 'now' };
    gateway.seconds = 899;
    expect(gateway.settle(wishes, [relay()])).toEqual([]);
    expect(gateway.plan(wishes, [relay()]).nextAt).toEqual(new Date(NOON + 900_000));
    gateway.seconds = 900;
    expect(gateway.settle(wishes, [relay()])).toEqual(['RotationRequested']);
  });
});

describe('an emergency revocation', () => {
  it('S22: of the current key removes it at once and promotes the next', () => {
    const gateway = aGateway();
    const [current, next] = gateway.facts().map((fact) => fact.kid) as [string, string];
    gateway.seconds = 10;
    expect(gateway.settle({ revoke: current })).toEqual(['KeyRevoked']);
    expect(gateway.in('current')).toMatchObject({ kid: next, notBefore: instant(gateway.now) });
    expect(gateway.in('next')).toBeDefined();
    expect(acceptedKeys(gateway.facts()).map((key) => key.kid)).not.toContain(current);
    expect(gateway.in('revoked')!.kid).toBe(current);
    expect(gateway.orders.at(-1)!.carry).toEqual([next]);
  });

  it('of the next key makes another and leaves the current one', () => {
    const gateway = aGateway();
    const [current, next] = gateway.facts().map((fact) => fact.kid) as [string, string];
    expect(gateway.settle({ revoke: next })).toEqual(['KeyRevoked']);
    expect(gateway.in('current')!.kid).toBe(current);
    expect(gateway.in('next')!.kid).not.toBe(next);
    expect(acceptedKeys(gateway.facts())).toHaveLength(2);
  });

  it('of a retired key ends it before its overlap', () => {
    const gateway = aGateway();
    const old = gateway.in('current')!.kid;
    gateway.seconds = 86_400;
    gateway.settle();
    expect(gateway.settle({ revoke: old })).toEqual(['KeyRevoked']);
    expect(acceptedKeys(gateway.facts()).map((key) => key.kid)).not.toContain(old);
    expect(gateway.in('current')).toBeDefined();
    expect(gateway.in('next')).toBeDefined();
  });

  it('happens once', () => {
    const gateway = aGateway();
    const wishes = { revoke: gateway.in('current')!.kid };
    gateway.settle(wishes);
    expect(gateway.settle(wishes)).toEqual([]);
    gateway.seconds = 86_400;
    expect(gateway.settle(wishes)).toEqual(['KeysRotated']);
  });

  it('of an unknown key is a problem that says what to write, and changes nothing', () => {
    const { problem, order } = aGateway().plan({ revoke: 'nobody' });
    expect(order).toBeUndefined();
    expect(problem).toMatchObject({ reason: 'UnknownKey' });
    expect(problem!.message.length).toBeLessThanOrEqual(256);
  });

  it('still rotates when a token comes with it', () => {
    const gateway = aGateway();
    const current = gateway.in('current')!.kid;
    expect(gateway.settle({ revoke: current, rotate: 'now' })).toEqual(['KeyRevoked']);
    gateway.seconds = 180;
    expect(gateway.settle({ revoke: current, rotate: 'now' })).toEqual(['RotationRequested']);
  });
});

describe('a key Secret that somebody changed', () => {
  it('T51: gets new keys; what the old current key signed stays valid for the overlap only', () => {
    const gateway = aGateway();
    const [current, next] = gateway.facts().map((fact) => fact.kid) as [string, string];
    gateway.secret = { ...gateway.secret!, view: { dataHash: 'another' } };
    expect(gateway.settle()).toEqual(['KeyMaterialChanged']);
    expect(gateway.orders.at(-1)!.carry).toEqual([]);
    expect(gateway.in('retired')).toMatchObject({ kid: current, notAfter: '2026-03-01T12:30:00Z' });
    expect(gateway.facts().map((fact) => fact.kid)).not.toContain(next);
  });

  it.each(['', '{}', 'null', '[{"kid":"x"}]', '[1]'])(
    'gets new keys when its annotation reads %j',
    (text) => {
      const gateway = aGateway();
      const annotations = { ...gateway.secret!.annotations, 'sallyport.dev/keys': text };
      gateway.secret = { ...gateway.secret!, annotations };
      expect(gateway.settle()).toEqual(['KeyMaterialChanged']);
    },
  );

  it('that was made for an earlier resource of the same name counts as missing', () => {
    const gateway = aGateway();
    gateway.secret = { ...gateway.secret!, ownerUid: 'earlier' };
    expect(gateway.plan().order).toMatchObject({ reason: 'KeysCreated', keep: [] });
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
