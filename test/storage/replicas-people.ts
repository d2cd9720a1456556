/*
 * People who use a gateway of several replicas: clients in the process of the test, and a relay as a process of its own
 * that registers at whichever replica the Service gives it.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { Client, IdentityFile } from '../../src/client/endpoint.library.js';
import { Heard, PASSPHRASE, type Person } from '../processes/client-bed.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
} from '../processes/relay-shell-bed.js';
import { until } from './bus-replicas.js';
import { GatewayBed, type SettingsChange } from './gateway-bed.js';

const RID = 'edge/eu/0';

interface LeaseKeyFact {
  readonly kid: string;
  readonly public: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

/** Replicas, a relay, and people. */
export class PeopleBed {
  readonly #people: Person[] = [];

  private constructor(
    readonly gateways: GatewayBed,
    readonly relay: RelayProcess,
    private readonly relayFolder: RelayFolder,
    private readonly folder: string,
  ) {}

  static async start(change?: SettingsChange): Promise<PeopleBed> {
    const gateways = await GatewayBed.start(change);
    const relayFolder = await RelayFolder.make();
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-people-'));
    const relay = await startRelay(gateways, relayFolder);
    return new PeopleBed(gateways, relay, relayFolder, folder);
  }

  /** A new identity that is connected to one of the replicas `only`, or to any. */
  async person(name: string, only?: readonly number[]): Promise<Person> {
    const path = join(this.folder, name);
    const place = { path, passphrase: PASSPHRASE, backend: nodeBackend, nowMs: Date.now() };
    const file = await IdentityFile.create(place, 12);
    const gateways = [await this.gateways.entry()];
    const client = await Client.open({ identity: file, gateways, bind: '127.0.0.1' });
    const person = { file, client, heard: new Heard(client) };
    this.#people.push(person);
    this.gateways.service.only = only;
    await client.connect();
    this.gateways.service.only = undefined;
    return person;
  }

  /** Two people at two replicas who know each other. */
  async pair(name: string, [one, other]: readonly [number, number]): Promise<[Person, Person]> {
    const asker = await this.person(`${name}-asker`, [one]);
    const asked = await this.person(`${name}-asked`, [other]);
    await asker.client.ask(asked.client.fingerprint);
    await asked.heard.heard('contact-asks');
    await asked.client.accept(asker.client.fingerprint);
    await asker.heard.heard('contact-accepted');
    return [asker, asked];
  }

  async stop(): Promise<void> {
    for (const { client, file } of this.#people) {
      await client.close();
      file.close();
    }
    await this.relay.kill();
    await this.relayFolder.remove();
    await this.gateways.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Every text that one sends to another, until it is told to stop; each has to be delivered, and shown once. */
export class Traffic {
  readonly #sent = new Map<string, string>();
  #isEnding = false;
  readonly #ended: Promise<void>;

  constructor(
    private readonly from: Person,
    private readonly to: Person,
    everyMs: number,
  ) {
    this.#ended = this.#run(everyMs);
  }

  get sent(): number {
    return this.#sent.size;
  }

  /** Texts whose sender knows that they were delivered. */
  get acknowledged(): readonly string[] {
    return this.from.heard
      .all('delivery')
      .filter(([{ state }]) => state === 'delivered')
      .flatMap(([{ id }]) => this.#sent.get(id) ?? []);
  }

  /** Texts that were shown, in order. */
  get shown(): readonly string[] {
    const texts = new Set(this.#sent.values());
    return this.to.heard.all('text').flatMap(([, text]) => (texts.has(text) ? [text] : []));
  }

  /** States that mean that a text will not arrive. */
  get failed(): readonly string[] {
    return this.from.heard
      .all('delivery')
      .flatMap(([{ id, state }]) => (state === 'failed' && this.#sent.has(id) ? [id] : []));
  }

  /** Sends no more, and waits until every text has been acknowledged. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#ended;
    await until('every text was acknowledged', () => this.acknowledged.length === this.sent);
  }

  async #run(everyMs: number): Promise<void> {
    for (let number = 0; !this.#isEnding && number < 900; number++) {
      const text = `text ${number} of ${this.from.client.fingerprint}`;
      this.#sent.set(this.from.client.send(this.to.client.fingerprint, text), text);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

async function startRelay(gateways: GatewayBed, folder: RelayFolder): Promise<RelayProcess> {
  await folder.writeLeaf(gateways.folder.authority.leaf(POOL_IDENTITY));
  await folder.writeSettings();
  const index = await readFile(join(gateways.folder.path, 'lease-keys/keys.json'), 'utf8');
  const leaseKeys = (JSON.parse(index) as LeaseKeyFact[]).map(
    ({ kid, public: publicKey, notBefore, notAfter }) => ({
      ...{ kid, publicKey, notBefore, notAfter },
    }),
  );
  const caCertificates = [gateways.folder.authority.certificate];
  const over = { port: gateways.registry.port, caCertificates, leaseKeys };
  await folder.writeDirectory([directoryGateway('edge/main', [], over)]);
  const relay = await RelayProcess.run(folder, { program: gateways.program('relay') });
  const { port } = relay;
  const place = { id: RID, region: 'europe', address: '127.0.0.1', port };
  await gateways.folder.writeRelays([place]);
  await isLive(gateways, 3);
  return relay;
}

/** Waits until so many replicas give leases for the relay. */
export const isLive = (gateways: GatewayBed, replicas: number): Promise<void> =>
  until(
    'the relay is live at every replica',
    async () => (await gateways.sum('sallyport_relay_registry_relays{state="Live"}')) === replicas,
  );
