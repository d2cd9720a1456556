/*
 * Two endpoints as processes, with a gateway and a relay around them.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from '../../config/tooling/bundler.js';
import { ClientBed, PASSPHRASE } from '../processes/client-bed.js';
import type { CallAnswer, PersonCall, PersonPlace } from './client-person.js';
import { BUNDLES, kept, stopChild } from './relay-children.js';

/** A gigabyte per second: no limit of the relay is what is measured. */
const RELAY_KBPS = 8_000_000;
/** Files that are mounted are looked at every second. */
const TAKEN_UP_MS = 3_000;

/** An endpoint that runs as a process. */
export class Person {
  readonly #waiting = new Map<number, (answer: CallAnswer) => void>();
  #lastId = 0;
  fingerprint = '';

  private constructor(
    readonly child: ChildProcess,
    readonly place: PersonPlace,
  ) {
    child.on('message', (answer) => {
      const { id } = answer as CallAnswer; // Nobody else has the other end.
      this.#waiting.get(id)?.(answer as CallAnswer);
      this.#waiting.delete(id);
    });
    child.once('exit', () => {
      for (const [id, done] of this.#waiting) done({ id, failed: 'the process ended' });
    });
  }

  /** Starts a process that opens the identity at `place`, or makes it. */
  static async start(place: PersonPlace, how: 'create' | 'open'): Promise<Person> {
    const child = fork(join(BUNDLES, 'client-person.js'), {
      serialization: 'advanced',
      execArgv: [],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const person = new Person(kept(child), place);
    person.fingerprint = (await person.call('openIdentity', place, how)) as string; // As it says.
    return person;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Asks for something; resolves when it is done. @throws Error with what went wrong. */
  async call(name: PersonCall, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = await new Promise<CallAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.child.send({ id, name, args });
    });
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return answer.result;
  }

  stop(): Promise<void> {
    return stopChild(this.child);
  }
}

/** Bundles what runs in processes of its own. */
export async function bundlePeople(): Promise<void> {
  await bundle(
    {
      'client-person': 'test/bench/client-person.ts',
      'client-copy': 'test/bench/client-copy.ts',
    },
    BUNDLES,
  );
}

/** Two people who are connected and know each other. */
export interface People {
  readonly bed: ClientBed;
  readonly alice: Person;
  readonly bob: Person;
}

/** Starts everything; what is there ends with `bed.stop()` and the processes' own `stop`. */
export async function startPeople(): Promise<People> {
  const bed = await ClientBed.start(1, (settings) => ({
    ...settings,
    logLevel: 'warn',
    rateLimits: { ...settings.rateLimits, liveLeasesPerAccount: 64 },
  }));
  for (const { folder } of bed.relays)
    await folder.writeSettings((settings) => ({
      ...settings,
      capacity: {
        ...settings.capacity,
        softKbpsPerSession: RELAY_KBPS,
        hardKbpsPerSession: RELAY_KBPS,
      },
      rateLimits: { ...settings.rateLimits, packetsPerSessionPerSecond: 1_000_000 },
    }));
  await sleep(TAKEN_UP_MS);
  const place = async (name: string): Promise<PersonPlace> => ({
    path: join(bed.folder, name),
    passphrase: PASSPHRASE,
    url: bed.url,
    pin: await bed.pin(),
    folder: join(bed.folder, `${name}-files`),
  });
  const alice = await Person.start(await place('alice'), 'create');
  const bob = await Person.start(await place('bob'), 'create');
  await Promise.all([alice.call('connect'), bob.call('connect')]);
  await alice.call('ask', bob.fingerprint);
  await bob.call('accept', alice.fingerprint);
  await alice.call('accepted', bob.fingerprint);
  return { bed, alice, bob };
}
