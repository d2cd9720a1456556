/*
 * A relay as a process of its own, started from files that the operator's own functions write, and what stands around
 * it: an authority per namespace, leaves, a directory of gateways. Ports are the kernel's choice or free ones.
 */
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  caName,
  generateCertificateKey,
  issueCa,
  issueLeaf,
  type CertificateKey,
} from '../../src/operator/keys/certificates.x509.js';
import { spiffeId } from '../../src/operator/keys/leaf.js';
import { relaySettings } from '../../src/operator/relay-pool/configuration.js';
import type { RelayLeaseKey } from '../../src/relay/packet/packet-messages.js';
import type { RelayGateway, RelaySettings } from '../../src/relay/settings.js';
import { aRelayPool } from '../builders.js';
import { freePorts } from '../free-ports.js';
import { ProgramProcess, startNode } from './program-process.js';

const READY_WITHIN_MS = 30_000;
const HOUR_MS = 3_600_000;

/** The pool of RELAY_ID, `edge/eu/0`. */
export const POD = 'eu-relay-0';
const INSTALL = 'test';
/** URI SAN of the pool. */
export const POOL_IDENTITY = spiffeId(INSTALL, 'edge', 'RelayPool', 'eu');

const pemOf = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END ${label}-----\n`;

/** A certificate with its key, PEM. */
export interface TestLeaf {
  readonly certificate: string;
  readonly key: string;
}

/** The authority of a namespace. */
export class TestAuthority {
  readonly #issuer;
  readonly certificate: string;

  constructor(name = 'edge') {
    const key: CertificateKey = generateCertificateKey();
    this.#issuer = { key, commonName: caName(name) };
    this.certificate = pemOf('CERTIFICATE', issueCa(this.#issuer, validity()).der);
  }

  /** A leaf for `uri` and `dns`; `endsInMs` from now. */
  leaf(uri: string, dns = 'localhost', endsInMs = HOUR_MS): TestLeaf {
    const key = generateCertificateKey();
    const { der } = issueLeaf(
      this.#issuer,
      validity(endsInMs),
      {
        namespace: 'edge',
        dnsNames: [dns],
        ipAddresses: ['127.0.0.1'],
        uri,
        usages: ['serverAuth', 'clientAuth'],
      },
      key,
    );
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificate: pemOf('CERTIFICATE', der), key: pem };
  }
}

const validity = (endsInMs = HOUR_MS) => ({
  notBefore: new Date(Date.now() - HOUR_MS).toISOString(),
  notAfter: new Date(Date.now() + endsInMs).toISOString(),
});

/** A lease key as gateways.json writes it. */
export const directoryKey = ({ kid, publicKey, notBeforeMs, notAfterMs }: RelayLeaseKey) => ({
  kid,
  publicKey: Buffer.from(publicKey).toString('base64url'),
  notBefore: new Date(notBeforeMs).toISOString(),
  notAfter: new Date(Math.min(notAfterMs, Date.UTC(2099, 0))).toISOString(),
});

/** A gateway as gateways.json names it; `port` is where a stand-in listens. */
export function directoryGateway(
  name: string,
  keys: readonly RelayLeaseKey[],
  over: Partial<RelayGateway> = {},
): RelayGateway {
  const [namespace = '', gateway = ''] = name.split('/');
  return {
    namespace,
    name: gateway,
    identity: spiffeId(INSTALL, namespace, 'SignalingGateway', gateway),
    host: 'localhost',
    port: 65_535,
    leaseKeys: keys.map(directoryKey),
    caCertificates: [],
    ...over,
  };
}

/** The files of one relay, laid out as Kubernetes mounts them: a link to a folder that is swapped at once. */
export class RelayFolder {
  #version = 0;

  private constructor(readonly path: string) {}

  static async make(): Promise<RelayFolder> {
    return new RelayFolder(await mkdtemp(join(tmpdir(), 'sallyport-relay-')));
  }

  get settingsPath(): string {
    return join(this.path, 'settings/settings.json');
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
  }

  /** settings.json as the operator writes it for a pool, with this folder's paths, free ports and loopback. */
  async writeSettings(change: (settings: RelaySettings) => object = (same) => same): Promise<void> {
    const { metadata, ...rest } = aRelayPool({ drain: { seconds: 10 } });
    const pool = { ...rest, metadata: { ...metadata, namespace: 'edge', name: 'eu' } };
    const written = relaySettings({
      pool,
      values: {
        rateLimits: {
          handshakesPerAddressPerSecond: 1_000,
          handshakesPerSecond: 10_000,
          stunRequestsPerAddressPerSecond: 5,
          fallbackConnectionsPerAddressPerMinute: 100,
          packetsPerSessionPerSecond: 20_000,
        },
        observability: { logLevel: 'Info' },
      },
      installation: { installId: INSTALL, serviceCidrs: [], podCidrs: [], apiServerCidrs: [] },
      ownAddresses: [],
    } as unknown as Parameters<typeof relaySettings>[0]); // The parts that settings are written from.
    await this.mount('settings', {
      'settings.json': JSON.stringify(change(await this.#local(written))),
    });
  }

  async writeDirectory(gateways: readonly RelayGateway[]): Promise<void> {
    await this.mount('gateways', { 'gateways.json': JSON.stringify({ version: 1, gateways }) });
  }

  async writeLeaf({ certificate, key }: TestLeaf, mode = 0o440): Promise<void> {
    await this.mount('tls', { 'tls.crt': certificate, 'tls.key': key }, mode);
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }

  /** Ports stay the same for the life of the folder: other values of the file are live. */
  #ports: Promise<number[]> | undefined;

  async #local(settings: RelaySettings): Promise<RelaySettings> {
    this.#ports ??= freePorts(3);
    const [relay = 0, fallback = 0, health = 0] = await this.#ports;
    const addresses = ['127.0.0.1'];
    return {
      ...settings,
      listeners: {
        relay: { port: relay, addresses },
        fallback: { enabled: true, port: fallback, addresses },
        health: { port: health, addresses },
      },
      tls: {
        certificateFile: join(this.path, 'tls/tls.crt'),
        keyFile: join(this.path, 'tls/tls.key'),
      },
      gateways: { directoryFile: join(this.path, 'gateways/gateways.json') },
    };
  }
}

/** A relay that runs as a process. */
export class RelayProcess extends ProgramProcess {
  private constructor(
    child: ChildProcess,
    readonly settings: RelaySettings | undefined,
  ) {
    super(child, {
      healthPort: settings?.listeners.health.port,
      readyWithinMs: READY_WITHIN_MS,
    });
  }

  /** Starts src/bin/relay.ts, or `program`, with the settings in `folder`. */
  static async run(
    folder: RelayFolder,
    {
      args = [],
      env = {},
      program = ['--import', 'tsx', 'src/bin/relay.ts'],
      pod = POD,
    }: {
      args?: readonly string[];
      env?: NodeJS.ProcessEnv;
      program?: readonly string[];
      pod?: string;
    } = {},
  ): Promise<RelayProcess> {
    const { readFile } = await import('node:fs/promises');
    const settings = await readFile(folder.settingsPath, 'utf8').then(
      (text) => JSON.parse(text) as RelaySettings,
      () => undefined,
    );
    const all = [...program, '--settings', folder.settingsPath, '--pod', pod, ...args];
    const child = startNode(all, env);
    return new RelayProcess(child, settings);
  }

  get port(): number {
    return this.settings!.listeners.relay.port;
  }

  get fallbackPort(): number {
    return this.settings!.listeners.fallback.port;
  }
}

/** A relay that is ready and knows one gateway with these keys, and its folder; both are the caller's to end. */
export async function readyRelay(
  authority: TestAuthority,
  keys: Parameters<typeof directoryGateway>[1],
): Promise<{ readonly folder: RelayFolder; readonly relay: RelayProcess }> {
  const folder = await RelayFolder.make();
  await folder.writeSettings();
  await folder.writeDirectory([directoryGateway('edge/main', keys)]);
  await folder.writeLeaf(authority.leaf(POOL_IDENTITY));
  const relay = await RelayProcess.run(folder);
  await relay.answers(200, /^ready$/m);
  return { folder, relay };
}
