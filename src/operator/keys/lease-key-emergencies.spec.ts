import { describe, expect, it } from '@jest/globals';

import { aGateway, NOON } from '../../../test/key-secret-bed.js';
import { instant } from './facts.js';
import { acceptedKeys } from './lease-keys.js';

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

  it('S22: is no unknown key when it is forgotten while its annotation stands', () => {
    const gateway = aGateway();
    const wishes = { revoke: gateway.in('current')!.kid };
    gateway.settle(wishes);
    for (let day = 1; day <= 3; day += 1) {
      gateway.seconds = day * 86_400;
      gateway.settle(wishes);
    }
    expect(gateway.facts().map(({ kid }) => kid)).not.toContain(wishes.revoke);
    expect(gateway.plan(wishes).problem).toBeUndefined();
    expect(gateway.plan({ revoke: 'another' }).problem?.reason).toBe('UnknownKey');
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
