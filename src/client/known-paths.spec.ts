import { describe, expect, it } from '@jest/globals';
import type { DatagramPath, PathKind } from './datagram-path.js';
import { KnownPaths } from './known-paths.js';
import { KEEP_ALIVE_MS, Liveness } from './liveness.js';
import { SILENT_AFTER_MS } from './path-choice.js';

const aPath = (kind: PathKind, isOpen = true, generation = 0): DatagramPath => ({
  kind,
  generation,
  isOpen,
  room: () => new Uint8Array(1_232),
  commit: () => undefined,
  flush: () => undefined,
});

function chosen(paths: readonly DatagramPath[], proven: readonly DatagramPath[]) {
  const known = new KnownPaths();
  for (const path of paths) known.add(path);
  return known.choose((path) => proven.includes(path));
}

describe('the way that is used', () => {
  const [direct, udp, tls] = [aPath('direct'), aPath('relay-udp'), aPath('relay-tls')];

  it('is direct if that is proven, else the relay over UDP, else over TLS', () => {
    expect(chosen([tls, udp, direct], [tls, udp, direct])).toBe(direct);
    expect(chosen([tls, udp], [tls, udp])).toBe(udp);
    expect(chosen([tls], [tls])).toBe(tls);
  });

  it('is never direct without a proof, and the relay also without', () => {
    expect(chosen([direct], [])).toBeUndefined();
    expect(chosen([direct, tls], [])).toBe(tls);
    expect(chosen([udp, tls], [tls])).toBe(tls);
  });

  it('is one that is open', () => {
    const closed = aPath('direct', false);
    expect(chosen([closed, udp], [closed, udp])).toBe(udp);
  });

  it('is chosen among 8 at most', () => {
    const known = new KnownPaths();
    for (let i = 0; i < 20; i++) known.add(aPath('direct'));
    expect(known.all).toHaveLength(8);
  });
});

describe('the way that is used while there are two relays', () => {
  const older = aPath('relay-udp', true, 1);
  const newer = aPath('relay-udp', true, 2);
  const newerTls = aPath('relay-tls', true, 2);

  it('leads through the newer one once the peer answered there, over UDP or over TLS', () => {
    expect(chosen([older, newer], [older, newer])).toBe(newer);
    expect(chosen([older, newerTls], [older, newerTls])).toBe(newerTls);
    expect(chosen([older, newerTls, newer], [older, newerTls, newer])).toBe(newer);
  });

  it('leads through the older one until then', () => {
    expect(chosen([newer, older], [older])).toBe(older);
    expect(chosen([newer, older], [])).toBe(older);
  });

  it('leads through the newer one when nothing else is open', () => {
    expect(chosen([aPath('relay-udp', false, 1), newer], [])).toBe(newer);
  });

  it('is direct if that is proven', () => {
    const direct = aPath('direct');
    expect(chosen([older, direct, newer], [older, direct, newer])).toBe(direct);
  });
});

describe('the use of a relay', () => {
  const older = aPath('relay-udp', true, 1);
  const newer = aPath('relay-udp', true, 2);
  const two = () => {
    const known = new KnownPaths();
    for (const path of [older, newer]) known.add(path);
    return known;
  };

  it('is by this side, by the peer, or by nobody', () => {
    const known = two();
    const inUse = (active: DatagramPath) =>
      [1, 2].map((generation) => known.relayUse(generation, active, () => true).isInUse);
    expect(inUse(older)).toEqual([true, false]);
    known.heard(older, 5, true);
    expect(inUse(newer)).toEqual([true, true]);
    known.heard(newer, 6, false);
    expect(inUse(newer)).toEqual([true, true]);
    known.heard(newer, 7, true);
    expect(inUse(newer)).toEqual([false, true]);
    expect(known.relayUse(1, newer, () => true).heardMs).toBe(5);
  });

  it('is proven by an answer on an open way of it', () => {
    const isProven = (path: DatagramPath) => path === newer;
    expect(two().relayUse(2, older, isProven).isProven).toBe(true);
    expect(two().relayUse(1, older, isProven).isProven).toBe(false);
    expect(two().relayUse(3, older, isProven)).toEqual({
      isProven: false,
      isInUse: false,
      heardMs: -Infinity,
    });
  });

  it('has the peer behind while it sends through the older one, and no longer when that is gone', () => {
    const known = two();
    expect(known.isPeerBehind(newer)).toBe(false);
    known.heard(older, 0, true);
    expect([known.isPeerBehind(newer), known.isPeerBehind(older)]).toEqual([true, false]);
    known.remove(older);
    expect(known.isPeerBehind(newer)).toBe(false);
  });
});

describe('a direct way on which the peer was asked', () => {
  it('is silent after 1.5 s without a datagram, once, and counts from the first question', () => {
    const [known, direct] = [new KnownPaths(), aPath('direct')];
    known.add(direct);
    expect(known.silentMs).toBe(Infinity);
    known.asked(direct, 1_000);
    known.asked(direct, 2_000);
    expect(known.silentMs).toBe(1_000 + SILENT_AFTER_MS);
    expect(known.takeSilent(2_499)).toEqual([]);
    expect(known.takeSilent(2_500)).toEqual([direct]);
    expect(known.takeSilent(9_000)).toEqual([]);
  });

  it('is given time when who asks was not scheduled: the answer may wait in its socket', () => {
    const [known, direct] = [new KnownPaths(), aPath('direct')];
    known.add(direct);
    known.asked(direct, 0);
    expect(known.takeSilent(4_000)).toEqual([]);
    expect(known.silentMs).toBe(4_250);
    expect(known.takeSilent(4_250)).toEqual([direct]);
  });

  it('is not silent when something came on it; what came elsewhere does not count', () => {
    const [known, direct, udp] = [new KnownPaths(), aPath('direct'), aPath('relay-udp')];
    for (const path of [direct, udp]) known.add(path);
    known.asked(direct, 0);
    known.heard(udp, 1, true);
    expect(known.silentMs).toBe(SILENT_AFTER_MS);
    expect(known.isPeerBehind(direct)).toBe(true);
    known.heard(direct, 2, true);
    expect(known.silentMs).toBe(Infinity);
    expect(known.isPeerBehind(direct)).toBe(false);
  });
});

describe('the ways of a conversation', () => {
  it('are in doubt 1 s after content to which nothing came, and every 3 s until something comes', () => {
    const liveness = new Liveness(0);
    expect(liveness.doubtAtMs).toBe(Infinity);
    liveness.contentSent(100);
    liveness.contentSent(900);
    expect([1_099, 1_100, 1_101, 4_099, 4_100].map((ms) => liveness.takeDoubt(ms))).toEqual([
      ...[false, true, false, false, true],
    ]);
    liveness.answered(4_200);
    expect(liveness.takeDoubt(60_000)).toBe(false);
  });
});

describe('the question for a sign of life', () => {
  const by = (isDirect: boolean, isPeerBehind = false) => ({ isDirect, isPeerBehind });

  it('comes 20 s after the last datagram that was sent', () => {
    const liveness = new Liveness(0);
    liveness.sentMs = 5_000;
    expect(liveness.askAtMs(by(false))).toBe(5_000 + KEEP_ALIVE_MS);
    liveness.askedMs = 25_000;
    expect(liveness.askAtMs(by(true))).toBe(25_000 + KEEP_ALIVE_MS);
  });

  it('comes on a direct way 0.5 s after content that nothing on that way answered', () => {
    const liveness = new Liveness(0);
    liveness.contentSentMs = liveness.sentMs = 10;
    expect(liveness.askAtMs(by(true))).toBe(500);
    expect(liveness.askAtMs(by(false))).toBe(10 + KEEP_ALIVE_MS);
    liveness.answeredMs = 11;
    expect(liveness.askAtMs(by(true))).toBe(10 + KEEP_ALIVE_MS);
  });

  it('comes every 0.5 s while the peer is heard on a worse way', () => {
    const liveness = new Liveness(0);
    liveness.sentMs = liveness.askedMs = 7_000;
    expect(liveness.askAtMs(by(false, true))).toBe(7_500);
    expect(liveness.askAtMs(by(true, true))).toBe(7_500);
  });
});
