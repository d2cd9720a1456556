/*
 * To be started by nat-run.ts: a call on the direct path, one through the relay, and calls that roles do not allow.
 * Writes what came as JSON.
 */
import { MEMBER } from '../processes/client-bed.js';
import { NatBed } from './nat-bed.js';
import { bothSee, journey, pause } from './nat-journey.js';
import type { CallHeard, CallSent } from './nat-messages.js';
import type { NatKind } from './nat-rules.js';

/** 3 s of speech. */
const FRAMES = 150;
/** A bundle takes effect within 2 s (issue 5, A); with room for a busy machine. */
const ROLES_AFTER_MS = 4_000;
/** What comes later than this is lost for a call. */
const LAST_FRAMES_MS = 500;

/** A call, and what came of it. */
export interface Tried {
  readonly path: string;
  readonly sent: CallSent;
  readonly heard: CallHeard;
  /** From the wish to call to the first frame at the other side, in ms. */
  readonly setupMs: number | null;
  readonly lossPercent: number;
}

/** What the spec reads. */
export interface CallsTried {
  readonly direct: Tried;
  readonly relay: Tried;
  /** The caller's roles do not say Start; those of who is called do not say Join. */
  readonly notStarted: Tried;
  readonly notJoined: Tried;
}

const bed = await NatBed.start();
const [alice, bob] = bed.endpoints;

async function call(kind: string): Promise<Tried> {
  await bob.asks('heard');
  const sent = await alice.asks('call', bob.fingerprint, `${FRAMES}`);
  await pause(LAST_FRAMES_MS);
  const heard = await bob.asks('heard');
  const [seen] = sent.sent > 0 ? await bothSee(bed) : [];
  const came = new Set(heard.numbers).size;
  const tried: Tried = {
    path: seen?.paths.at(-1)?.kind ?? 'none',
    ...{ sent, heard },
    setupMs: heard.firstAtMs === undefined ? null : heard.firstAtMs - sent.beganAtMs,
    lossPercent: sent.sent === 0 ? 0 : (100 * (sent.sent - came)) / sent.sent,
  };
  const [setup, loss] = [tried.setupMs, tried.lossPercent.toFixed(1)];
  process.stderr.write(`call ${kind}: set up in ${setup} ms, ${loss} % of ${sent.sent} lost\n`);
  return tried;
}

/** Alice hangs up, so that the next call has to set up a session. */
async function fresh(kind: NatKind): Promise<void> {
  await journey(bed, [kind, kind]);
  await alice.asks('hangUp', bob.fingerprint);
  await pause(LAST_FRAMES_MS);
}

async function only(...verbs: readonly ('Start' | 'Join')[]): Promise<void> {
  const others = MEMBER.permissions.filter(({ resource }) => resource !== 'Call');
  const calling = verbs.map((verb) => ({ resource: 'Call' as const, verbs: [verb] }));
  await bed.setRoles([{ ...MEMBER, permissions: [...others, ...calling] }], ++serial);
  await pause(ROLES_AFTER_MS);
  // Whoever lost a right has lost the leases of the session as well.
  await alice.asks('hangUp', bob.fingerprint);
}

let serial = 1;
await alice.asks('policy', bob.fingerprint, 'DirectAllowed');
await bob.asks('policy', alice.fingerprint, 'DirectAllowed');
await fresh('port-restricted');
const direct = await call('direct');
await fresh('symmetric');
const relay = await call('through the relay');
await only('Join');
const notStarted = await call('without the right to start');
await only('Start');
const notJoined = await call('without the right to join');
bed.end();
process.stdout.write(JSON.stringify({ direct, relay, notStarted, notJoined } satisfies CallsTried));
process.exit(0);
