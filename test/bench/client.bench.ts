/*
 * `npm run bench -- client`: two endpoints as processes of their own, a gateway and a relay between them, on loopback:
 * the time to a first message, files through the relay and directly beside a plain copy over node:tls, and the time after
 * which a broken transfer goes on. Nothing is pinned: all of them share the machine.
 */
import { parseArgs } from 'node:util';
import { benchFiles, benchResume } from './client-files.js';
import { bundlePeople, startPeople, type People, type Person } from './client-people.js';
import { machine } from './relay-contestants.js';
import { median, type Metric } from './report.js';

type Report = (metric: Metric) => void;

/** `--smoke` only looks whether it works. */
export async function benchClient(report: Report, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      smoke: { type: 'boolean', default: false },
      megabytes: { type: 'string' },
      // Options of other benches that run in the same call.
      full: { type: 'boolean', default: false },
      part: { type: 'string' },
      only: { type: 'string' },
      fuzz: { type: 'string' },
      sockets: { type: 'string' },
    },
  });
  const { smoke } = values;
  const megabytes = Number(values.megabytes ?? (smoke ? 4 : 100));
  const repetitions = smoke ? 1 : 3;
  console.error(machine());
  await bundlePeople();
  const people = await startPeople();
  let back: Person | undefined;
  try {
    await benchFirstMessage(report, people, smoke ? 1 : 9);
    await benchFiles(report, people, { megabytes, repetitions });
    back = await benchResume(report, people, Math.max(20, megabytes));
  } finally {
    for (const person of [people.alice, people.bob, back]) await person?.stop();
    await people.bed.stop();
  }
}

/** Both connect at once and then write to each other: login, lease, handshake and the first text. */
async function benchFirstMessage(
  report: Report,
  { alice, bob }: People,
  repetitions: number,
): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    await Promise.all([alice.call('disconnect'), bob.call('disconnect')]);
    const text = `good morning ${i}`;
    const begin = performance.now();
    await Promise.all([alice.call('connect'), bob.call('connect')]);
    await alice.call('text', bob.fingerprint, text);
    await bob.call('heard', text);
    times.push(performance.now() - begin);
  }
  report({
    ...{ bench: 'client', metric: 'first_message_ms', unit: 'ms', value: median(times) },
    ...{ least: Math.min(...times), most: Math.max(...times) },
    reference: 'identities are open; from connecting both to the text at the receiver',
  });
}
