/*
 * One endpoint in a process of its own, as a person runs it: it does what the bench asks for, by name, and answers when
 * it is done.
 */
import { chooseBackend, Client, IdentityFile } from '../../src/client/endpoint.library.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import type { PathKind } from '../../src/client/datagram-path.js';

/** Where an endpoint keeps its identity and files, and which gateway it uses. */
export interface PersonPlace {
  readonly path: string;
  readonly passphrase: Uint8Array;
  readonly url: string;
  readonly pin: string;
  readonly folder: string;
}

const WITHIN_MS = 20_000;

let place: PersonPlace | undefined;
let identity: IdentityFile | undefined;
let current: { readonly client: Client; readonly transfers: FileTransfers } | undefined;
let lastPath: PathKind | undefined;
let progressBytes = 0;
const texts = new Set<string>();

/** What was to be there; asking in another order is a mistake of the bench. */
function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the bench asks for something that is not there yet');
  return value;
}

const the = () => there(current);

/** Looks every 2 ms whether it holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function openIdentity(file: PersonPlace, how: 'create' | 'open'): Promise<string> {
  place = file;
  const { path, passphrase } = file;
  const at = { path, passphrase, backend: chooseBackend().backend, nowMs: Date.now() };
  identity = how === 'create' ? await IdentityFile.create(at, 12) : await IdentityFile.open(at);
  return identity.identity.fingerprint;
}

async function connect(): Promise<void> {
  const { url, pin, folder } = there(place);
  const gateways = [{ url, pins: [pin] }];
  const client = await Client.open({ identity: there(identity), gateways, bind: '127.0.0.1' });
  const transfers = new FileTransfers(client, { folder, accept: () => true });
  current = { client, transfers };
  lastPath = undefined;
  texts.clear();
  client.on('text', (_from, text) => texts.add(text));
  client.on('path', (_peer, kind) => (lastPath = kind));
  // What is asked about is the file that is under way.
  transfers.on('received', () => (progressBytes = 0));
  transfers.on('progress', (_file, { bytes }) => (progressBytes = bytes));
  await client.connect();
}

async function disconnect(): Promise<void> {
  const { client, transfers } = the();
  current = undefined;
  transfers.close();
  await client.close();
}

/** Everything that the bench can ask for. */
const CALLS = {
  openIdentity,
  connect,
  disconnect,
  ask: (peer: string) => the().client.ask(peer),
  accept: async (peer: string) => {
    const { client } = the();
    const isAsking = () =>
      client.contacts.some(({ fingerprint, state }) => fingerprint === peer && state === 'asking');
    await until('an introduction', isAsking);
    await client.accept(peer);
  },
  accepted: (peer: string) =>
    until('an acceptance', () =>
      the().client.contacts.some(
        ({ fingerprint, state }) => fingerprint === peer && state === 'accepted',
      ),
    ),
  allowDirect: (peer: string) => the().client.setPathPolicy(peer, 'DirectAllowed'),
  session: async (peer: string) => {
    await the().client.session(peer);
  },
  endSession: async (peer: string) => {
    (await the().client.session(peer)).close();
    lastPath = undefined;
  },
  path: (kind: PathKind) => until(`a path ${kind}`, () => lastPath === kind),
  text: (peer: string, text: string) => the().client.send(peer, text),
  heard: (text: string) => until('a text', () => texts.has(text)),
  sendFile: (peer: string, path: string) => the().transfers.send(peer, path),
  received: (bytes: number) => until('a part of the file', () => progressBytes >= bytes),
  resume: () => the().transfers.resume(),
  /** The file goes on: more is there than was at the first sign. */
  goesOn: async () => {
    await until('the first sign of the file', () => progressBytes > 0);
    const first = progressBytes;
    await until('the file', () => progressBytes > first);
  },
} as const;

/** Names of what the bench can ask for. */
export type PersonCall = keyof typeof CALLS;

/** From the bench. */
export interface Call {
  readonly id: number;
  readonly name: PersonCall;
  readonly args: readonly unknown[];
}

/** To the bench. */
export interface CallAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly failed?: string;
}

process.on('message', ({ id, name, args }: Call) => {
  // The bench gives each call the arguments that it takes.
  const call = CALLS[name] as (...args: readonly unknown[]) => unknown;
  const answer = (rest: Omit<CallAnswer, 'id'>) => void process.send?.({ id, ...rest });
  Promise.resolve()
    .then(() => call(...args))
    .then(
      (result) => {
        answer({ result });
      },
      (error: unknown) => {
        answer({ failed: `${name}: ${String(error)}` });
      },
    );
});
process.on('disconnect', () => process.exit(0));
