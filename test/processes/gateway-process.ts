/*
 * A gateway as a process of its own, started from files laid out as Kubernetes mounts them: certificates, lease keys,
 * relays.json, settings. Ports are free ones on loopback.
 */
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { GatewaySettings, RelayDirectory } from '../../src/gateway/settings.js';
import { spiffeId } from '../../src/operator/keys/leaf.js';
import { leaseKeyId } from '../../src/protocol/lease/ids.js';
import { freePort } from '../free-ports.js';
import { TestAuthority, type TestLeaf } from './relay-shell-bed.js';
import { ProgramProcess, startNode } from './program-process.js';

const DAY_MS = 86_400_000;
const READY_WITHIN_MS = 40_000;

/** The installation, as names of certificates begin with it. */
export const INSTALL = 'test';
/** The name by which clients call the gateway. */
export const HOST = 'localhost';
/** URI SAN of the gateway. */
export const GATEWAY_IDENTITY = spiffeId(INSTALL, 'edge', 'SignalingGateway', 'main');

/** Settings that let everybody in at a rate that no test of something else reaches. */
export function localSettings(folder: string, ports: readonly number[]): GatewaySettings {
  const pair = (name: string) => ({
    certificateFile: `${folder}/${name}/tls.crt`,
    keyFile: `${folder}/${name}/tls.key`,
  });
  const listener = (at: number) => ({ port: ports[at] ?? 0, addresses: ['127.0.0.1'] });
  return {
    version: 1,
    installId: INSTALL,
    gateway: { namespace: 'edge', name: 'main', uid: 'u-1', identity: GATEWAY_IDENTITY },
    listeners: { public: listener(0), internal: listener(1), health: listener(2) },
    tls: { public: pair('tls'), internal: pair('internal-tls') },
    trustFile: `${folder}/trust/ca.crt`,
    keys: { directory: `${folder}/lease-keys`, indexFile: `${folder}/lease-keys/keys.json` },
    relays: {
      directoryFile: `${folder}/relays/relays.json`,
      trustDirectory: `${folder}/relays`,
    },
    policy: { bundleFile: `${folder}/policy/bundle.json`, publicKeys: [] },
    hosts: [HOST],
    allowedOrigins: ['https://good.example', 'https://xn--bcher-kva.example'],
    trustedProxies: { cidrs: [], hops: 0, required: false },
    rateLimits: {
      connectionsPerAddressPerMinute: 6_000,
      connectionsPerSecond: 10_000,
      failedLoginsPerAddressPerMinute: 600,
      firstContactsPerAccountPerHour: 20,
      liveLeasesPerAccount: 8,
      loginsPerAccountPerHour: 3_600,
      messagesPerSessionPerSecond: 50,
      socketsPerAccount: 8,
    },
    authentication: {
      administrators: [],
      registration: 'Open',
      lockout: { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1_800 },
      secondFactors: { allowed: ['WebAuthn', 'Totp'], requiredFor: 'Nobody' },
      sessions: { idleTimeoutSeconds: 1_800, absoluteTimeoutSeconds: 43_200 },
      deviceApproval: 'Automatic',
    },
    leases: { lifetimeSeconds: 600 },
    audit: { level: 'Standard', onFailure: 'Block' },
    storage: { type: 'Embedded', directory: `${folder}/data` },
    bus: { type: 'InProcess' },
    retention: {
      deletion: 'Enabled',
      secureDeletion: { cryptographicErasure: true, receipts: true },
      classes: {},
      legalHolds: [],
    },
    cryptoProfile: 'Standard',
    logLevel: 'debug',
  };
}

/** The files of one gateway, laid out as Kubernetes mounts them: a link to a folder that is swapped at once. */
export class GatewayFolder {
  readonly authority = new TestAuthority('edge');
  #version = 0;
  #ports: readonly number[] = [];

  private constructor(readonly path: string) {}

  /** A folder with everything that a gateway needs. */
  static async make(
    change: (settings: GatewaySettings) => GatewaySettings = (same) => same,
  ): Promise<GatewayFolder> {
    const folder = new GatewayFolder(await mkdtemp(join(tmpdir(), 'sallyport-gateway-')));
    folder.#ports = [await freePort(), await freePort(), await freePort()];
    await folder.writeLeaf('tls', folder.authority.leaf('spiffe://public', HOST));
    await folder.writeLeaf('internal-tls', folder.authority.leaf(GATEWAY_IDENTITY, HOST));
    await folder.mount('trust', { 'ca.crt': folder.authority.certificate });
    await folder.writeRelays();
    await folder.writeLeaseKey();
    await folder.writeSettings(change);
    return folder;
  }

  get settingsPath(): string {
    return join(this.path, 'settings/settings.json');
  }

  get settings(): GatewaySettings {
    return localSettings(this.path, this.#ports);
  }

  /** Replaces the content of a volume the way the kubelet does: new folder, new link, rename over `..data`. */
  async mount(
    volume: string,
    files: Readonly<Record<string, string>>,
    mode = 0o440,
  ): Promise<void> {
    const folder = join(this.path, volume);
    const data = `..v${++this.#version}`;
    await mkdir(join(folder, data), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, data, name), text);
      await chmod(join(folder, data, name), mode);
      await symlink(`..data/${name}`, join(folder, name)).catch(() => undefined);
    }
    await symlink(data, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    for (const name of await readdir(folder))
      if (!name.startsWith('..') && !(name in files)) await unlink(join(folder, name));
  }

  async writeSettings(change: (settings: GatewaySettings) => object): Promise<void> {
    const text = JSON.stringify(change(this.settings));
    await this.mount('settings', { 'settings.json': text });
  }

  async writeLeaf(
    volume: 'tls' | 'internal-tls',
    { certificate, key }: TestLeaf,
    mode = 0o440,
  ): Promise<void> {
    await this.mount(volume, { 'tls.crt': certificate, 'tls.key': key }, mode);
  }

  /** relays.json, and the authority of the pools' namespace. */
  async writeRelays(
    relays: RelayDirectory['relays'] = [],
    authorities: Readonly<Record<string, string>> = { 'edge.crt': this.authority.certificate },
  ): Promise<void> {
    const identity = spiffeId(INSTALL, 'edge', 'RelayPool', 'eu');
    const pools = [{ namespace: 'edge', name: 'eu', region: 'europe', identity }];
    const directory: RelayDirectory = { version: 1, pools, relays };
    await this.mount('relays', { ...authorities, 'relays.json': JSON.stringify(directory) });
  }

  /** One lease key that signs now. */
  async writeLeaseKey(): Promise<void> {
    const seed = randomBytes(32);
    const publicKey = nodeBackend.ed25519PublicKey(seed);
    const kid = leaseKeyId(publicKey, (bytes) => createHash('sha256').update(bytes).digest());
    const time = (fromNowMs: number) =>
      new Date(Date.now() + fromNowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    const index = [
      {
        kid,
        public: Buffer.from(publicKey).toString('base64url'),
        notBefore: time(-DAY_MS),
        notAfter: time(DAY_MS),
        publishedAt: time(-DAY_MS),
        state: 'current',
      },
    ];
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const pem = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
    await this.mount('lease-keys', { 'keys.json': JSON.stringify(index), [`${kid}.pem`]: pem });
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}

/** A gateway that runs as a process. */
export class GatewayProcess extends ProgramProcess {
  private constructor(
    child: ChildProcess,
    readonly settings: GatewaySettings,
  ) {
    const healthPort = settings.listeners.health.port;
    super(child, { healthPort, readyWithinMs: READY_WITHIN_MS });
  }

  /** Starts src/bin/gateway.ts, or `program`, with the settings in `folder`. */
  static run(
    folder: Pick<GatewayFolder, 'settingsPath' | 'settings'>,
    {
      args = ['--pod', 'main-gateway-0'],
      env = {},
      node = [],
      program = ['--import', 'tsx', 'src/bin/gateway.ts'],
    }: {
      args?: readonly string[];
      env?: NodeJS.ProcessEnv;
      node?: readonly string[];
      program?: readonly string[];
    } = {},
  ): GatewayProcess {
    const all = [...node, ...program, '--settings', folder.settingsPath, ...args];
    const child = startNode(all, env);
    return new GatewayProcess(child, folder.settings);
  }

  /** The same, once it is ready. */
  static async ready(folder: GatewayFolder): Promise<GatewayProcess> {
    const gateway = GatewayProcess.run(folder);
    await gateway.answers(200, /^ready/);
    return gateway;
  }

  get port(): number {
    return this.settings.listeners.public.port;
  }

  get internalPort(): number {
    return this.settings.listeners.internal.port;
  }
}
