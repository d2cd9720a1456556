/*
 * Which relay of those that take leases: in the wanted region if there is one, and of two drawn by lot the one with
 * fewer sessions. That spreads load nearly as well as asking for the least loaded one, and neither sends everybody to
 * the same relay between two heartbeats nor to one that claims to have no sessions.
 */

/** A relay that takes leases. */
export interface ChoosableRelay {
  readonly rid: string;
  readonly region: string;
  readonly sessions: number;
}

/** What an endpoint asked for. */
export interface RelayWish {
  readonly region?: string;
  readonly avoid: readonly string[];
}

/** One of `relays`; undefined when all are to be avoided. `draw(n)` gives an integer from 0 to n - 1, all equally likely. */
export function chooseRelay<Relay extends ChoosableRelay>(
  relays: readonly Relay[],
  { region, avoid }: RelayWish,
  draw: (below: number) => number,
): Relay | undefined {
  const possible = relays.filter(({ rid }) => !avoid.includes(rid));
  const near = possible.filter((relay) => relay.region === region);
  const pool = near.length > 0 ? near : possible;
  if (pool.length < 2) return pool[0];
  const first = draw(pool.length);
  // The second is another one than the first.
  const second = (first + 1 + draw(pool.length - 1)) % pool.length;
  const [a, b] = [pool[first], pool[second]];
  return a !== undefined && b !== undefined && b.sessions < a.sessions ? b : a;
}

/** An integer from 0 to `below` - 1 (at most 2^24), all equally likely, from random bytes. */
export function drawFrom(random: (bytes: number) => Uint8Array, below: number): number {
  const limit = 2 ** 32 - (2 ** 32 % below);
  for (;;) {
    const value = new DataView(Uint8Array.from(random(4)).buffer).getUint32(0);
    if (value < limit) return value % below;
  }
}
