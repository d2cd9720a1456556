import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { HOST } from '../processes/gateway-process.js';
import type { CopyOrder } from './client-copy.js';
import { Person, type People } from './client-people.js';
import { BUNDLES, kept, messageOf, stopChild } from './relay-children.js';
import { cpuSeconds } from './relay-contestants.js';
import { median, type Metric } from './report.js';

type Report = (metric: Metric) => void;
type PathName = 'relay' | 'direct';

const MEGABYTE = 1_000_000;
const PATH_KINDS = { relay: 'relay-udp', direct: 'direct' } as const;
/** The receiver is killed when so much of the file is there. */
const KILLED_AT = 0.3;

/** How much and how often. */
export interface FilePlan {
  readonly megabytes: number;
  readonly repetitions: number;
}

/** A file of random bytes; gives its path. */
async function aFile(folder: string, name: string, megabytes: number): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, 'wx');
  for (let i = 0; i < megabytes; i++) await file.write(randomBytes(MEGABYTE));
  await file.close();
  return path;
}

/** Files through the relay, directly, and by a plain copy over node:tls. */
export async function benchFiles(report: Report, people: People, plan: FilePlan): Promise<void> {
  const copies: number[] = [];
  const relayed: number[] = [];
  let cpu = '';
  for (let i = 0; i < plan.repetitions; i++) {
    copies.push(await copyOver(people, plan, i));
    const file = await sendOver(people, plan, { path: 'relay', turn: i });
    relayed.push(file.perSecond);
    cpu = file.cpu;
  }
  const common = { bench: 'client', unit: 'MB/s' };
  report({ ...common, metric: 'tls_copy_mb_per_second', ...range(copies) });
  report({
    ...{ ...common, metric: 'file_mb_per_second_relay', ...range(relayed) },
    reference: `${ratio(relayed, copies)} of the copy; ${cpu}`,
  });
  await goDirect(people);
  const direct: number[] = [];
  for (let i = 0; i < plan.repetitions; i++) {
    const file = await sendOver(people, plan, { path: 'direct', turn: i });
    direct.push(file.perSecond);
    cpu = file.cpu;
  }
  report({
    ...{ ...common, metric: 'file_mb_per_second_direct', ...range(direct) },
    reference: `${ratio(direct, copies)} of the copy; ${cpu}`,
  });
}

const range = (values: readonly number[]) => ({
  ...{ value: median(values), least: Math.min(...values), most: Math.max(...values) },
});
const ratio = (one: readonly number[], other: readonly number[]): string =>
  (median(one) / median(other)).toFixed(2);

/** From now on they see each other's addresses, in a new session. */
async function goDirect({ alice, bob }: People): Promise<void> {
  await bob.call('allowDirect', alice.fingerprint);
  await alice.call('allowDirect', bob.fingerprint);
  await alice.call('endSession', bob.fingerprint);
}

async function sendOver(
  { bed, alice, bob }: People,
  { megabytes }: FilePlan,
  { path, turn }: { readonly path: PathName; readonly turn: number },
) {
  const file = await aFile(bed.folder, `${path}-${turn}.bin`, megabytes);
  await alice.call('session', bob.fingerprint);
  await alice.call('path', PATH_KINDS[path]);
  const processes = [
    ['sender', alice.pid],
    ['receiver', bob.pid],
    ['relay', bed.relays[0]!.process.child.pid!],
  ] as const;
  const before = processes.map(([, pid]) => cpuSeconds(pid));
  const begin = performance.now();
  await alice.call('sendFile', bob.fingerprint, file);
  const seconds = (performance.now() - begin) / 1_000;
  const used = processes.map(
    ([name, pid], i) =>
      `${name} ${(((cpuSeconds(pid) - before[i]!) * 1_000) / megabytes).toFixed(1)}`,
  );
  return { perSecond: megabytes / seconds, cpu: `ms of processor per MB: ${used.join(', ')}` };
}

async function copyOver({ bed }: People, { megabytes }: FilePlan, turn: number): Promise<number> {
  const file = await aFile(bed.folder, `copy-${turn}.bin`, megabytes);
  const [receiver, sender] = [copyProcess(), copyProcess()];
  try {
    const read = (name: string) => readFile(join(bed.gatewayFolder.path, 'tls', name), 'utf8');
    const [cert, key] = [await read('tls.crt'), await read('tls.key')];
    const order = (child: ChildProcess, what: CopyOrder) => {
      child.send(what);
      return messageOf(child);
    };
    const copied = join(bed.folder, `copied-${turn}.bin`);
    const listening = await order(receiver, { kind: 'receive', path: copied, cert, key });
    const { port } = listening as { readonly port: number }; // Nobody else has the other end.
    const ca = bed.gatewayFolder.authority.certificate;
    const begin = performance.now();
    const written = messageOf(receiver);
    await order(sender, { kind: 'send', path: file, ca, port, host: HOST });
    const end = (await written) as { readonly failed?: string }; // As above.
    if (end.failed !== undefined) throw new Error(end.failed);
    return (megabytes * 1_000) / (performance.now() - begin);
  } finally {
    await Promise.all([stopChild(receiver), stopChild(sender)]);
  }
}

const copyProcess = (): ChildProcess =>
  kept(fork(join(BUNDLES, 'client-copy.js'), { execArgv: [] }));

/**
 * A receiver that is killed in the middle of a file comes back: from its connecting until more of the file is there. It
 * ends when the whole file is.
 */
export async function benchResume(
  report: Report,
  { bed, alice, bob }: People,
  megabytes: number,
): Promise<Person> {
  const file = await aFile(bed.folder, 'resumed.bin', megabytes);
  const sent = alice.call('sendFile', bob.fingerprint, file);
  // It is awaited at the end; until then a failure is not an unhandled one.
  sent.catch(() => undefined);
  await bob.call('received', megabytes * MEGABYTE * KILLED_AT);
  bob.child.kill('SIGKILL');
  const again = await Person.start(bob.place, 'open');
  const begin = performance.now();
  await again.call('connect');
  await again.call('resume');
  await again.call('goesOn');
  report({
    ...{ bench: 'client', metric: 'resume_ms', unit: 'ms', value: performance.now() - begin },
    reference: 'receiver killed in the middle of a file: from its connecting to more of the file',
  });
  await sent;
  return again;
}
