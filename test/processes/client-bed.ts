/*
 * A whole installation for clients: a gateway and relays as processes of their own, registered and live, and clients in
 * the process of the test, each with an identity file in a folder that goes with the bed.
 */
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import {
  Client,
  IdentityFile,
  type ClientEvents,
  type ClientOptions,
} from '../../src/client/endpoint.library.js';
import type { BundleRole } from '../../src/policy/roles.js';
import { labelled } from '../../src/protocol/bytes.js';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import {
  GATEWAY_IDENTITY,
  GatewayFolder,
  GatewayProcess,
  HOST,
  INSTALL,
} from './gateway-process.js';
import { directoryGateway, POOL_IDENTITY, RelayFolder, RelayProcess } from './relay-shell-bed.js';
import { until } from './relay-udp-endpoint.js';

/** A passphrase that the rules take. */
/** A gateway that is started anew on a busy machine takes its time, and clients come back with growing patience. */
const TOLD_WITHIN_MS = 60_000;

export const PASSPHRASE = Buffer.from('vivid otter quarrels gently 88');

/** What everybody may do: all that people do with each other. */
export const MEMBER: BundleRole = {
  name: 'member',
  permissions: [
    { resource: 'Chat', verbs: ['Send', 'Receive'] },
    { resource: 'Call', verbs: ['Start', 'Join'] },
    { resource: 'File', verbs: ['Send', 'Receive'] },
    { resource: 'Input', verbs: ['Send', 'Receive'] },
  ],
  mfa: { required: false, hardwareKeyRequired: false },
  calls: { maxParticipants: 8, recording: 'Forbidden', externalParticipants: 'Forbidden' },
  assignment: 'Everyone',
  subjects: [],
};
/** Signs policy bundles. */
export const POLICY_KEY = generateKeyPairSync('ed25519');

/** The policy bundle of `roles`, as the operator signs it. */
export function bundleOf(roles: readonly BundleRole[], serial = 1): string {
  const issuedAt = '2026-03-02T12:00:00Z';
  const bundle = canonicalize({ v: 1, gateway: 'u-1', serial, issuedAt, roles }) ?? '';
  const message = labelled('sallyport policy bundle v1', [{ variable: Buffer.from(bundle) }]);
  const signature = sign(null, message, POLICY_KEY.privateKey).toString('base64url');
  return JSON.stringify({ bundle, kid: 'k', signature });
}

interface RelayBed {
  readonly rid: string;
  readonly folder: RelayFolder;
  readonly process: RelayProcess;
}

/** What a client has told so far, by name. */
export class Heard {
  readonly #events: { readonly name: string; readonly args: readonly unknown[] }[] = [];

  constructor(client: Client) {
    for (const name of NAMES)
      client.on(name, (...args: unknown[]) => this.#events.push({ name, args }));
  }

  all<Name extends keyof ClientEvents>(name: Name): readonly ClientEvents[Name][] {
    return this.#events
      .filter((event) => event.name === name)
      .map(({ args }) => args as ClientEvents[Name]);
  }

  /** Waits until `name` was told with arguments that `fit`. */
  async heard<Name extends keyof ClientEvents>(
    name: Name,
    fit: (...args: ClientEvents[Name]) => boolean = () => true,
  ): Promise<ClientEvents[Name]> {
    const found = () => this.all(name).find((args) => fit(...args));
    await until(`the client tells ${name}`, () => found() !== undefined, TOLD_WITHIN_MS).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; told: ${JSON.stringify(this.#events.map(short))}`);
      },
    );
    return found()!;
  }
}

const short = ({ name, args }: { name: string; args: readonly unknown[] }) =>
  `${name} ${args.map((arg) => (typeof arg === 'string' ? arg : typeof arg)).join(' ')}`;

const NAMES = [
  'connected',
  'away',
  'stopped',
  'pins',
  'permissions',
  'contact-asks',
  'contact-accepted',
  'key-changed',
  'session',
  'session-ended',
  'path',
  'encryption-failure',
  'text',
  'delivery',
  'message',
  'acknowledged',
  'writable',
  'refused',
] as const satisfies readonly (keyof ClientEvents)[];

/** A client with its file and what it told. */
export interface Person {
  readonly file: IdentityFile;
  readonly client: Client;
  readonly heard: Heard;
}

/** Gateway, relays and folder. */
export class ClientBed {
  readonly relays: RelayBed[] = [];
  readonly #clients: Client[] = [];
  readonly #files: IdentityFile[] = [];

  private constructor(
    readonly gatewayFolder: GatewayFolder,
    public gateway: GatewayProcess,
    readonly folder: string,
  ) {}

  static async start(
    relays = 1,
    change?: (settings: GatewaySettings) => GatewaySettings,
  ): Promise<ClientBed> {
    const key = POLICY_KEY.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    const withPolicy = (settings: GatewaySettings): GatewaySettings => ({
      ...settings,
      policy: { ...settings.policy, publicKeys: [key.toString('base64url')] },
    });
    const gatewayFolder = await GatewayFolder.make((settings) =>
      withPolicy(change?.(settings) ?? settings),
    );
    await gatewayFolder.mount('policy', { 'bundle.json': bundleOf([MEMBER]) });
    const gateway = await GatewayProcess.ready(gatewayFolder);
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-client-'));
    const bed = new ClientBed(gatewayFolder, gateway, folder);
    for (let ordinal = 0; ordinal < relays; ordinal++) await bed.addRelay(ordinal);
    return bed;
  }

  /** `sha256/...` of the gateway's public leaf. */
  async pin(): Promise<string> {
    const pem = await readFile(join(this.gatewayFolder.path, 'tls/tls.crt'), 'utf8');
    return pinOfCertificate(new X509Certificate(pem));
  }

  get url(): string {
    return `wss://${HOST}:${this.gateway.port}`;
  }

  async addRelay(ordinal: number): Promise<RelayBed> {
    const folder = await RelayFolder.make();
    await folder.writeLeaf(this.gatewayFolder.authority.leaf(POOL_IDENTITY));
    await folder.writeSettings();
    const keys = JSON.parse(
      await readFile(join(this.gatewayFolder.path, 'lease-keys/keys.json'), 'utf8'),
    ) as { kid: string; public: string; notBefore: string; notAfter: string }[];
    const leaseKeys = keys.map(({ kid, public: publicKey, notBefore, notAfter }) => ({
      ...{ kid, publicKey, notBefore, notAfter },
    }));
    const caCertificates = [this.gatewayFolder.authority.certificate];
    const over = { port: this.gateway.internalPort, caCertificates, leaseKeys };
    await folder.writeDirectory([directoryGateway('edge/main', [], over)]);
    const process = await RelayProcess.run(folder, { pod: `eu-relay-${ordinal}` });
    const relay = { rid: `edge/eu/${ordinal}`, folder, process };
    this.relays.push(relay);
    await this.gatewayFolder.writeRelays(
      this.relays.map(({ rid, process: { port } }) => ({
        ...{ id: rid, region: 'europe', address: '127.0.0.1', port },
      })),
    );
    await until('the relay is registered', () =>
      process.stdout.includes('"action":"registration.open","outcome":"success"'),
    );
    return relay;
  }

  /** A new identity, and a client for it that is not connected yet. */
  async person(name: string, options: Partial<ClientOptions> = {}): Promise<Person> {
    const path = join(this.folder, name);
    const place = { path, passphrase: PASSPHRASE, backend: nodeBackend, nowMs: Date.now() };
    const file = await IdentityFile.create(place, 12);
    this.#files.push(file);
    return this.client(file, options);
  }

  /** A client for an identity that is open. */
  async client(file: IdentityFile, options: Partial<ClientOptions> = {}): Promise<Person> {
    const client = await Client.open({
      identity: file,
      gateways: [{ url: this.url, pins: [await this.pin()] }],
      bind: '127.0.0.1',
      ...options,
    });
    this.#clients.push(client);
    return { file, client, heard: new Heard(client) };
  }

  /** Two people who are connected and know each other. */
  async pair(options: Partial<ClientOptions> = {}): Promise<readonly [Person, Person]> {
    const number = this.#files.length;
    const alice = await this.person(`alice${number}`, options);
    const bob = await this.person(`bob${number}`, options);
    await alice.client.connect();
    await bob.client.connect();
    await alice.client.ask(bob.client.fingerprint);
    await bob.heard.heard('contact-asks');
    await bob.client.accept(alice.client.fingerprint);
    await alice.heard.heard('contact-accepted');
    return [alice, bob];
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await client.close();
    for (const file of this.#files) file.close();
    for (const { process, folder } of this.relays) {
      await process.kill();
      await folder.remove();
    }
    await this.gateway.kill();
    await this.gatewayFolder.remove();
    await rm(this.folder, { recursive: true });
  }
}

export { GATEWAY_IDENTITY, INSTALL };
