import { describe, expect, it } from '@jest/globals';
import type { DatagramPath, PathKind } from './datagram-path.js';
import { KnownPaths } from './known-paths.js';
import { KEEP_ALIVE_MS, Liveness } from './liveness.js';
import { SILENT_AFTER_MS } from './path-choice.js';

const aPath = (kind: PathKind, isOpen = true): DatagramPath => ({
  kind,
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

describe('a direct way on which the peer was asked', () => {
  it('is silent after 3 s without a datagram, once, and counts from the first question', () => {
    const [known, direct] = [new KnownPaths(), aPath('direct')];
    known.add(direct);
    expect(known.silentMs).toBe(Infinity);
    known.asked(direct, 1_000);
    known.asked(direct, 2_000);
    expect(known.silentMs).toBe(1_000 + SILENT_AFTER_MS);
    expect(known.takeSilent(3_999)).toEqual([]);
    expect(known.takeSilent(4_000)).toEqual([direct]);
    expect(known.takeSilent(9_000)).toEqual([]);
  });

  it('is not silent when something came on it; what came elsewhere does not count', () => {
    const [known, direct, udp] = [new KnownPaths(), aPath('direct'), aPath('relay-udp')];
    for (const path of [direct, udp]) known.add(path);
    known.asked(direct, 0);
    known.heard(udp);
    expect(known.silentMs).toBe(SILENT_AFTER_MS);
    known.heard(direct);
    expect(known.silentMs).toBe(Infinity);
  });
});

describe('the question for a sign of life', () => {
  it('comes 20 s after the last datagram that was sent', () => {
    const liveness = new Liveness(0);
    liveness.sentMs = 5_000;
    expect(liveness.askAtMs(false)).toBe(5_000 + KEEP_ALIVE_MS);
    liveness.askedMs = 25_000;
    expect(liveness.askAtMs(true)).toBe(25_000 + KEEP_ALIVE_MS);
  });

  it('comes on a direct way 1 s after content that nothing on that way answered', () => {
    const liveness = new Liveness(0);
    liveness.contentSentMs = liveness.sentMs = 10;
    liveness.heardMs = 10_000;
    expect(liveness.askAtMs(true)).toBe(1_000);
    expect(liveness.askAtMs(false)).toBe(10 + KEEP_ALIVE_MS);
    liveness.answeredMs = 11;
    expect(liveness.askAtMs(true)).toBe(10 + KEEP_ALIVE_MS);
  });
});
