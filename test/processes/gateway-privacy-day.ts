/*
 * A day at a gateway that runs as a process: two couples get to know each other, write, speak and send files; visitors
 * come from addresses of their own and go. Then nobody says anything for a minute. What the gateway has of it is for tests
 * to look at.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { decodeIdentityRecord } from '../../src/client/identity/identity-record.js';
import { rendezvousToken, sendingDay } from '../../src/protocol/identity/rendezvous.js';
import { anAccount } from '../identities.js';
import { ClientBed, type Person } from './client-bed.js';
import { TestEndpoint } from './gateway-endpoint.js';
import { HeapGraph } from './gateway-privacy-graph.js';
import { GatewayProcess } from './gateway-process.js';
import { pause } from './relay-udp-endpoint.js';

/** Two who have to do with each other. */
export type Couple = readonly [Person, Person];

/** Addresses that no part of the bed listens at or comes from otherwise. */
export const VISITOR_ADDRESS = '127.23.45.67';
export const STRANGER_ADDRESS = '127.54.32.76';

/** How long nobody has said anything when the heap is looked at. */
const SILENCE_MS = 60_000;
const HEAP_WITHIN_MS = 60_000;
const KEPT_SECONDS = 86_400;

const PRELOAD = join(import.meta.dirname, 'gateway-privacy-preload.ts');

/** Texts that appear nowhere else. */
const canary = (): string => `canary${randomBytes(12).toString('hex')}`;
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** A bed with what people said, and what they are called. */
export class PrivacyDay {
  /** What no server may ever have, by what it is. */
  readonly contents: ReadonlyMap<string, string> = new Map(
    ['chat', 'answer', 'input', 'call', 'file'].map((name) => [name, canary()]),
  );
  /** What people call each other. */
  readonly names: ReadonlyMap<string, string> = new Map([['name of a contact', canary()]]);
  readonly couples: Couple[] = [];
  #heaps = 0;

  private constructor(
    readonly bed: ClientBed,
    private readonly heapFolder: string,
  ) {}

  /** Starts the programs; the gateway so that it writes its heap when it is asked to. */
  static async start(): Promise<PrivacyDay> {
    const bed = await ClientBed.start(1, ({ retention, ...settings }) => ({
      ...settings,
      // What is left of a session that has ended is there to be looked at.
      retention: { ...retention, classes: { session: { atLeastSeconds: KEPT_SECONDS } } },
    }));
    const heapFolder = join(bed.folder, 'heaps');
    await mkdir(heapFolder);
    await bed.gateway.kill();
    bed.gateway = GatewayProcess.run(bed.gatewayFolder, {
      node: ['--import', 'tsx', '--import', PRELOAD],
      env: { HEAP_FOLDER: heapFolder },
    });
    const day = new PrivacyDay(bed, heapFolder);
    await bed.gateway.answers(200, /^ready/);
    await day.#relayIsLive();
    return day;
  }

  /** Somebody comes before everybody else, so that what a gateway makes at its first guest is there. */
  async warmUp(): Promise<void> {
    const [first, second] = await this.bed.pair();
    await says(first, second, 'good morning');
    await first.client.close();
    await second.client.close();
  }

  /** All that people do with each other, through the relay. */
  async meet(): Promise<void> {
    this.couples.push(await this.bed.pair(), await this.bed.pair());
    for (const [one, other] of this.couples) {
      await one.client.rename(other.client.fingerprint, this.names.get('name of a contact')!);
      await says(one, other, this.contents.get('chat')!);
      await says(other, one, this.contents.get('answer')!);
      const session = await one.client.session(other.client.fingerprint);
      for (const channel of ['input', 'call', 'file'] as const) {
        const bytes = Buffer.alloc(channel === 'call' ? 100 : 900, this.contents.get(channel));
        session.send(channel, bytes);
        await other.heard.heard('message', (_from, on) => on === channel);
      }
    }
  }

  /** One who logs in from an address of his own, and one whose login fails. */
  async visits(): Promise<void> {
    const { port } = this.bed.gateway;
    const place = { port, ca: this.bed.gatewayFolder.authority.certificate };
    const from = (localAddress: string) =>
      TestEndpoint.open(place, {
        tls: { socket: connect({ host: '127.0.0.1', port, localAddress }) },
      });
    const visitor = await from(VISITOR_ADDRESS);
    await visitor.login(anAccount(0x51));
    await visitor.request('session.end');
    const stranger = await from(STRANGER_ADDRESS);
    await stranger.login(anAccount(0x61), { signature: base64url(new Uint8Array(64)) });
    visitor.cut();
    stranger.cut();
  }

  /** Ends every session; all stay connected. */
  async partings(): Promise<void> {
    for (const [one, other] of this.couples)
      (await one.client.session(other.client.fingerprint)).close();
  }

  /** Nobody says anything for a minute. */
  async silence(): Promise<void> {
    await pause(SILENCE_MS);
  }

  /** Everybody of both couples. */
  get people(): readonly Person[] {
    return this.couples.flat();
  }

  /** Texts that name a person to the gateway: account, identity key, device, and the tokens at which it listens today. */
  textsOf({ file, client }: Person): readonly string[] {
    const { identity } = file;
    // 32 bytes fill 42 characters and a part of the next, which is another one where more bytes follow.
    const account = base64url(identity.account).slice(0, 42);
    const device = [base64url(identity.binding.deviceId), base64url(identity.bindingBytes)];
    return [client.fingerprint, account, ...device, ...this.#tokensOf(file)];
  }

  /** Keys of everybody that no server may have, by what they are; copies. */
  keys(): ReadonlyMap<string, Uint8Array> {
    const keys = new Map<string, Uint8Array>();
    this.people.forEach(({ file }, at) => {
      const record = decodeIdentityRecord(file.identity.encode());
      if (typeof record === 'string') throw new Error(record);
      for (const name of ['identitySeed', 'deviceSeed', 'deviceKey', 'entropy'] as const)
        keys.set(`${name} of ${at}`, record[name].slice());
    });
    return keys;
  }

  /** The heap of the gateway now, after a collection. */
  async heap(): Promise<HeapGraph> {
    const file = join(this.heapFolder, `${++this.#heaps}.heapsnapshot`);
    this.bed.gateway.child.kill('SIGUSR2');
    for (let waited = 0; waited < HEAP_WITHIN_MS; waited += 100) {
      if (existsSync(`${file}.done`)) return HeapGraph.read(file);
      await pause(100);
    }
    throw new Error(`no heap: ${this.bed.gateway.stderr}`);
  }

  /** The files in the gateway's folder of data, whole. */
  async dataFiles(): Promise<ReadonlyMap<string, Buffer>> {
    const folder = join(this.bed.gatewayFolder.path, 'data');
    const names = await readdir(folder);
    return new Map(
      await Promise.all(
        names.map(async (name) => [name, await readFile(join(folder, name))] as const),
      ),
    );
  }

  async stop(): Promise<void> {
    await this.bed.stop();
  }

  async #relayIsLive(): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const live = await this.bed.gateway.metric('sallyport_relay_registry_relays{state="Live"}');
      if (live === 1) return;
      await pause(100);
    }
    throw new Error(`no relay is live: ${this.bed.gateway.stderr}`);
  }

  #tokensOf(file: Person['file']): readonly string[] {
    const { staticKey } = file.identity;
    const peers = this.people.filter((other) => other.file !== file);
    return peers.flatMap(({ file: { identity } }) => {
      const pair = {
        ...{ ownPrivateKey: staticKey.privateKey, ownPublicKey: staticKey.publicKey },
        ...{ peerPublicKey: identity.binding.x25519, recipient: 'own' as const },
      };
      const token = rendezvousToken(file.context, pair, sendingDay(Date.now()));
      return token === undefined ? [] : [base64url(token)];
    });
  }
}

/** Sends a text and waits until it was shown and confirmed. */
async function says(from: Person, to: Person, text: string): Promise<void> {
  const id = from.client.send(to.client.fingerprint, text);
  await to.heard.heard('text', (_from, shown) => shown === text);
  await from.heard.heard('delivery', (each) => each.id === id && each.state === 'delivered');
}
