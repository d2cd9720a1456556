import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  aConfiguration,
  aSession,
  forward,
  hello,
  prove,
  TestGateway,
} from '../../../test/processes/relay-udp-bed.js';
import { PROVED, Still } from '../../../test/processes/relay-udp-still.js';
import {
  FALLBACK_KIND,
  MAX_QUEUED_BYTES,
  QUEUED_TO_TLS,
  QUEUED_TO_WORKER,
} from './fallback-port.js';
import { FallbackLink, newQueued } from './fallback.link.js';

const CLIENT = '198.51.100.7 40000';
const SERVER = '198.51.100.8 50000';
const gateway = new TestGateway();

describe('a session above its soft limit', () => {
  it('passes while the relay has time, and is dropped as soft-limit while it is busy', () => {
    const still = new Still(aConfiguration([gateway.key()]));
    const sid = aSession();
    // 80 kbps are 1 kB in 100 ms; a burst of 16,384 bytes always fits.
    for (const [from, role] of [
      [CLIENT, 'client'],
      [SERVER, 'server'],
    ] as const)
      expect(still.prove(from, gateway.lease(sid, role, { slimit: 80, hlimit: 100_000 }))).toBe(
        PROVED,
      );
    const frame = forward(sid, new Uint8Array(1_004));
    for (let i = 0; i < 40; i++) expect(still.receive(CLIENT, frame)).toHaveLength(1);
    still.relay.begin(still.monotonicMs, true);
    expect(still.receive(CLIENT, frame)).toEqual([]);
    expect(still.statistics.drops['soft-limit']).toBe(1);
    still.relay.begin(still.monotonicMs, false);
    expect(still.receive(CLIENT, frame)).toHaveLength(1);
    // Half a second at 10 bytes per ms is room for four more, busy or not.
    still.pass(500);
    still.relay.begin(still.monotonicMs, true);
    const passed = Array.from({ length: 10 }, () => still.receive(CLIENT, frame).length);
    expect(passed.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(still.statistics.drops['soft-limit']).toBe(7);
  });
});

describe('a holder on TLS that does not read', () => {
  const { port1, port2 } = new MessageChannel();
  afterEach(() => {
    port1.close();
    port2.close();
  });

  it('costs the relay at most the bytes of its queue; what is more is dropped as fallback-queue', () => {
    const still = new Still(aConfiguration([gateway.key()]));
    const queued = newQueued();
    const link = new FallbackLink(port1, queued, QUEUED_TO_TLS);
    const tls = new FallbackLink(port2, queued, QUEUED_TO_WORKER);
    still.relay.path.fallback = link;
    const give = (kind: number, body: Uint8Array) => {
      still.relay.receiveFallback({ kind, connection: 5, body });
      link.flush();
    };
    const last = (): Uint8Array => {
      let answer = new Uint8Array();
      tls.poll(({ body }) => (answer = Uint8Array.from(body)));
      return answer;
    };
    const sid = aSession();
    expect(still.prove(CLIENT, gateway.lease(sid, 'client'))).toBe(PROVED);
    give(
      FALLBACK_KIND.open,
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 198, 51, 100, 9, 200, 1),
    );
    give(FALLBACK_KIND.frame, hello(sid));
    give(FALLBACK_KIND.frame, prove(gateway.lease(sid, 'server'), last(), 1n));
    expect(last()[2]).toBe(PROVED);
    const frame = forward(sid, new Uint8Array(1_480));
    const sent = 4_000;
    for (let i = 0; i < sent; i++) {
      if (i % 10 === 0) still.pass(10);
      still.receive(CLIENT, frame);
      link.flush();
    }
    const dropped = still.statistics.drops['fallback-queue'];
    const kept = sent - dropped - still.statistics.drops['hard-limit'];
    expect(dropped).toBeGreaterThan(0);
    expect(kept * 1_508).toBeLessThan(MAX_QUEUED_BYTES + 2 * 1_508);
    // Once it reads again, frames pass again.
    last();
    still.pass(100);
    still.receive(CLIENT, frame);
    link.flush();
    expect(last()).toEqual(Uint8Array.from(frame));
  });
});
