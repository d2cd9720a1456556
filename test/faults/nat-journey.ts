/*
 * A session between the two homes, and where it led.
 */
import type { HomeEndpoint, NatBed } from './nat-bed.js';
import type { SessionSeen } from './nat-messages.js';
import type { NatKind, UdpRule } from './nat-rules.js';

/** A challenge to an address is repeated for 5 s: what has not led there by then never does. */
const SETTLED_AFTER_MS = 7_000;
const LOOK_EVERY_MS = 100;

/** Waits. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Where a session led. */
export interface Journey {
  readonly kinds: readonly NatKind[];
  /** The ways in use at the end, of both sides. */
  readonly ended: readonly string[];
  /** Until both sides were on the direct way; null if they never were. */
  readonly directMs: number | null;
  /** Whether each told the other the address of its router, which it knows from the relay alone. */
  readonly reflexive: readonly boolean[];
  /** Milliseconds that a text took, each way. */
  readonly saidMs: readonly number[];
}

/** What both ends see of their session. */
export async function bothSee({ endpoints: [alice, bob] }: NatBed): Promise<SessionSeen[]> {
  return [await alice.asks('seen', bob.fingerprint), await bob.asks('seen', alice.fingerprint)];
}

/** A text each way; the milliseconds that each took. */
export async function talk({ endpoints: [alice, bob] }: NatBed): Promise<number[]> {
  return [
    await alice.asks('say', bob.fingerprint, 'is it you?'),
    await bob.asks('say', alice.fingerprint, 'it is'),
  ];
}

/** Waits until the way that both use is `kind`, and gives the last time when one of them took it; undefined if never. */
export async function bothOn(
  bed: NatBed,
  kind: string,
  withinMs = SETTLED_AFTER_MS,
): Promise<number | undefined> {
  const end = Date.now() + withinMs;
  for (;;) {
    const taken = (await bothSee(bed)).map(({ paths }) => paths.at(-1));
    if (taken.every((path) => path?.kind === kind))
      return Math.max(...taken.map((path) => path?.atMs ?? 0));
    if (Date.now() > end) return undefined;
    await pause(LOOK_EVERY_MS);
  }
}

/** Ends the session that there is, and begins one with routers of these kinds. */
export async function journey(
  bed: NatBed,
  kinds: readonly [NatKind, NatKind],
  udp: readonly [UdpRule, UdpRule] = ['forwarded', 'forwarded'],
): Promise<Journey> {
  const [alice, bob] = bed.endpoints;
  await alice.asks('hangUp', bob.fingerprint);
  await pause(LOOK_EVERY_MS);
  for (const i of [0, 1] as const) bed.networks.homes[i].translate(kinds[i], udp[i]);
  const began = Date.now();
  await alice.asks('session', bob.fingerprint);
  const directAt = await bothOn(bed, 'direct');
  const saidMs = await talk(bed);
  const seen = await bothSee(bed);
  return {
    kinds,
    ended: seen.map(({ paths }) => paths.at(-1)?.kind ?? 'none'),
    directMs: directAt === undefined ? null : directAt - began,
    reflexive: seen.map(({ candidates }, i) => isTold(candidates, bed.endpoints[i])),
    saidMs,
  };
}

const isTold = (candidates: readonly string[], endpoint: HomeEndpoint | undefined): boolean =>
  candidates.some((candidate) => candidate.startsWith(`${endpoint?.home.wan}:`));
