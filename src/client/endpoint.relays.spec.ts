import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../test/identities.js';
import { randomOf } from '../../test/session/two-sessions.js';
import { nodeBackend } from '../crypto/node.backend.js';
import { KeyStore } from '../protocol/key-store.js';
import { EndpointRelays } from './endpoint.relays.js';
import type { LeaseFields } from './lease-proof.js';
import { LINGER_MS, STAY_AT_MOST_MS, type RelayUse } from './relay-departure.js';

const UNUSED: RelayUse = { isProven: false, isInUse: false, heardMs: -Infinity };

const aLease = (ordinal: number, over: Partial<LeaseFields> = {}): LeaseFields => ({
  session: bytesOf(0xa1, 16),
  token: Buffer.from('v4.public.text'),
  relayId: `edge/eu/${ordinal}`,
  jti: bytesOf(ordinal, 16),
  role: 'client',
  proofKey: bytesOf(ordinal + 1),
  ...over,
});

/** Relays without a way to them: what is shown here is which of them are held. */
function someRelays() {
  const keys = new KeyStore(1_024);
  const uses = new Map<number, RelayUse>();
  const left: string[] = [];
  const ignore = (): void => undefined;
  const relays = new EndpointRelays({
    context: { backend: nodeBackend, keys },
    clock: { now: () => new Date(0), monotonicMs: () => 0 },
    random: randomOf(1),
    events: { datagram: ignore, open: ignore, gone: ignore, refused: ignore, changed: ignore },
    relay: (news, relayId) => left.push(`${relayId} ${news.type}`),
    use: (generation) => uses.get(generation) ?? UNUSED,
  });
  const add = (ordinal: number): void => {
    relays.add({}, aLease(ordinal), undefined);
  };
  return { relays, uses, left, keys, add };
}

describe('an endpoint with two relays', () => {
  it('leaves the older one 2 s after the last datagram there, and erases its key', () => {
    const { relays, uses, left, keys, add } = someRelays();
    add(0);
    add(1);
    uses.set(1, { isProven: true, isInUse: false, heardMs: 10_000 });
    uses.set(2, { isProven: true, isInUse: true, heardMs: 11_000 });
    expect(relays.pump(11_000)).toBe(10_000 + LINGER_MS);
    expect([left, keys.liveSlices]).toEqual([[], 2]);
    expect(relays.pump(10_000 + LINGER_MS)).toBe(Infinity);
    expect([left, keys.liveSlices]).toEqual([['edge/eu/0 left'], 1]);
  });

  it('waits 30 s for a peer that goes on sending through the older one, from when it answered at the newer', () => {
    const { relays, uses, left, add } = someRelays();
    add(0);
    add(1);
    const used = { isProven: true, isInUse: true, heardMs: 10_000 };
    uses.set(1, used);
    expect(relays.pump(10_000)).toBe(Infinity);
    uses.set(2, used);
    expect(relays.pump(20_000)).toBe(20_000 + STAY_AT_MOST_MS);
    uses.set(2, { ...used, isProven: false });
    expect(relays.pump(25_000)).toBe(Infinity);
    uses.set(2, used);
    expect(relays.pump(30_000)).toBe(30_000 + STAY_AT_MOST_MS);
    expect(left).toEqual([]);
    relays.pump(30_000 + STAY_AT_MOST_MS);
    expect(left).toEqual(['edge/eu/0 left']);
  });

  it('leaves for a third one the one that neither side uses', () => {
    const { uses, left, add } = someRelays();
    add(0);
    add(1);
    uses.set(1, { isProven: true, isInUse: true, heardMs: 0 });
    add(2);
    expect(left).toEqual(['edge/eu/1 left']);
    uses.set(3, { isProven: true, isInUse: true, heardMs: 0 });
    add(3);
    expect(left).toEqual(['edge/eu/1 left', 'edge/eu/0 left']);
  });

  it('renews the lease of either, of no other, and holds one key for each', () => {
    const { relays, keys, add } = someRelays();
    add(0);
    add(1);
    for (const ordinal of [0, 1]) relays.renew(aLease(ordinal, { proofKey: bytesOf(0x77) }));
    expect(() => {
      relays.renew(aLease(2));
    }).toThrow(expect.objectContaining({ code: 'ERR_ENDPOINT_RELAY' }));
    expect(keys.liveSlices).toBe(2);
    relays.close();
    expect(keys.liveSlices).toBe(0);
  });

  it('holds no key of a relay that it could not add', () => {
    const { relays, keys, left } = someRelays();
    const tls = { host: 'relay.example', port: 5_349, pins: [], identity: 'spiffe://x' };
    expect(() => {
      relays.add({ tls }, aLease(0), undefined);
    }).toThrow(expect.objectContaining({ code: 'ERR_ENDPOINT_PIN' }));
    expect([keys.liveSlices, left]).toEqual([0, []]);
  });
});
