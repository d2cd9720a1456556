/*
 * To be started by nat-run.ts: a session for each pair of kinds of routers. Writes the journeys as JSON.
 */
import { NatBed } from './nat-bed.js';
import { journey, type Journey } from './nat-journey.js';
import { NAT_KINDS } from './nat-rules.js';

const bed = await NatBed.start();
const [alice, bob] = bed.endpoints;
await alice.asks('policy', bob.fingerprint, 'DirectAllowed');
await bob.asks('policy', alice.fingerprint, 'DirectAllowed');
const journeys: Journey[] = [];
for (const [i, one] of NAT_KINDS.entries())
  for (const other of NAT_KINDS.slice(i)) {
    const made = await journey(bed, i % 2 === 0 ? [one, other] : [other, one]);
    process.stderr.write(`${JSON.stringify(made)}\n`);
    journeys.push(made);
  }
bed.end();
process.stdout.write(JSON.stringify(journeys));
process.exit(0);
