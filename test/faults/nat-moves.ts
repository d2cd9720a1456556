/*
 * To be started by nat-run.ts: sessions whose ways change under them. Writes what happened as JSON.
 */
import { NatBed } from './nat-bed.js';
import { bothOn, bothSee, journey, pause, talk, type Journey } from './nat-journey.js';
import type { PathPolicy } from '../../src/client/endpoint.library.js';

/** What became of a session whose way changed. */
export interface Change {
  /** The ways of both sides before and after it. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Until both were on the way of the end, and until a text that was sent at the change was confirmed. */
  readonly movedMs: number | null;
  readonly saidMs: readonly number[];
  readonly isSameSession: boolean;
  readonly ends: number;
}

/** Where two endpoints sent datagrams, by `ADDRESS:PORT`. */
export interface Sent {
  readonly paths: readonly string[];
  readonly candidates: readonly string[][];
  readonly destinations: readonly Readonly<Record<string, number>>[];
  readonly relay: string;
}

/** What the spec reads. */
export interface Moves {
  /** Only Alice keeps her addresses to herself; and nobody does. */
  readonly relayOnly: Sent;
  readonly direct: Sent;
  /** The way between the routers is cut, and there again. */
  readonly cut: Change;
  readonly mended: Change;
  /** Alice's router has another address; her cable was out and she has another address; the first with nothing but a relay. */
  readonly renumbered: Change;
  readonly unplugged: Change;
  readonly rebound: Change;
  /** Alice's router drops UDP: in the middle of a session, from the beginning, and that of both. */
  readonly blocked: Change;
  readonly restarted: Journey;
  readonly bothBlocked: Journey;
}

const bed = await NatBed.start();
const [alice, bob] = bed.endpoints;
const [home] = bed.networks.homes;

async function policies(ofAlice: PathPolicy, ofBob: PathPolicy): Promise<void> {
  await alice.asks('policy', bob.fingerprint, ofAlice);
  await bob.asks('policy', alice.fingerprint, ofBob);
}

const used = async (): Promise<string[]> =>
  (await bothSee(bed)).map(({ paths }) => paths.at(-1)?.kind ?? 'none');

/** Changes something, talks at once, and waits until both are on `kind`. */
async function change(
  kind: string,
  withinMs: number,
  act: () => void | Promise<void>,
): Promise<Change> {
  const [first] = await bothSee(bed);
  const before = await used();
  const began = Date.now();
  await act();
  const saidMs = await talk(bed);
  const movedAt = await bothOn(bed, kind, withinMs);
  const [last] = await bothSee(bed);
  const made = {
    before,
    after: await used(),
    movedMs: movedAt === undefined ? null : Math.max(0, movedAt - began),
    saidMs,
    isSameSession: first?.id === last?.id,
    ends: (last?.ends.length ?? 0) - (first?.ends.length ?? 0),
  };
  process.stderr.write(`${kind} ${JSON.stringify(made)}\n`);
  return made;
}

async function sentUnder(ofAlice: PathPolicy, ofBob: PathPolicy): Promise<Sent> {
  await policies(ofAlice, ofBob);
  for (const each of bed.networks.homes) each.capture();
  await journey(bed, ['full-cone', 'full-cone']);
  const seen = await bothSee(bed);
  return {
    paths: await used(),
    candidates: seen.map(({ candidates }) => [...candidates]),
    destinations: bed.networks.homes.map((each) => each.captured()),
    relay: `10.1.0.1:${bed.relay.port}`,
  };
}

const relayOnly = await sentUnder('RelayOnly', 'DirectAllowed');
const direct = await sentUnder('DirectAllowed', 'DirectAllowed');
const port = 'port-restricted';

await journey(bed, [port, port]);
const cut = await change('relay-udp', 10_000, () => {
  bed.networks.cut();
});
const mended = await change('direct', 60_000, () => {
  bed.networks.mend();
});
const renumbered = await change('direct', 60_000, () => {
  home.renumber(port);
});
const unplugged = await change('direct', 60_000, async () => {
  home.unplug();
  await pause(2_000);
  home.plug(port, 77);
});
await journey(bed, ['symmetric', 'symmetric']);
const rebound = await change('relay-udp', 1_000, () => {
  home.renumber('symmetric');
});
const blocked = await change('relay-tls', 20_000, () => {
  home.translate('symmetric', 'blocked');
});
const restarted = await journey(bed, ['symmetric', 'symmetric'], ['blocked', 'forwarded']);
const bothBlocked = await journey(bed, [port, port], ['blocked', 'blocked']);

bed.end();
process.stdout.write(
  JSON.stringify({
    ...{ relayOnly, direct, cut, mended, renumbered, unplugged, rebound, blocked },
    ...{ restarted, bothBlocked },
  } satisfies Moves),
);
process.exit(0);
