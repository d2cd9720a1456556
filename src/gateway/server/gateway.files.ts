/*
 * The files that the server of the gateway reads: settings.json, the two certificates, and the authorities of relays. At the
 * start bad settings and a private key that others may read stop the program; a certificate that is absent or wrong leaves
 * it not ready, with the reason, until the file is right. Later a bad file of any kind keeps the content before, and says so.
 */
import type { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { FileProblems } from '../../runtime/file-problems.js';
import { refuseOpenKeyFile } from '../../runtime/leaf-files.js';
import { settingsChange } from '../../runtime/live-settings.js';
import type { Logger } from '../../runtime/log.js';
import { readSmallFile } from '../../runtime/small.file.js';
import { WatchedFiles } from '../../runtime/watched.files.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { certificatesIn, readServedLeaf, type LeafText, type ServedLeaf } from './certificate.js';
import { readGatewaySettings } from './settings.file.js';
import type { ServerFile } from './metrics.js';
import type { RelayTrust } from './relay-identity.js';

/** Who is told when something changed. */
export interface GatewayFilesListener {
  settings(settings: GatewaySettings): void;
  /** The certificates, the authorities of relays, or both. */
  tls(): void;
  /** After each reading of a file. */
  loaded(file: ServerFile, outcome: 'success' | 'failure'): void;
}

/** What the files are read with. */
export interface GatewayFilesParts {
  readonly settingsPath: string;
  readonly log: Logger;
  readonly listener: GatewayFilesListener;
  unixMs(): number;
}

type Purpose = 'public' | 'internal';

/** Looks at the private keys before anything else is started. @throws ActionableError if others may read one */
export async function refuseOpenKeys({ tls }: GatewaySettings): Promise<void> {
  for (const { keyFile } of [tls.public, tls.internal]) {
    // A key that is not there yet is nothing to stop for: the gateway is not ready until it is.
    const { mode } = await readSmallFile(keyFile).catch(() => ({ mode: 0 }));
    refuseOpenKeyFile(keyFile, mode);
  }
}

/** The newest good content of each file. */
export class GatewayFiles {
  readonly #watched = new WatchedFiles();
  /** What is wrong now, by file. */
  readonly #problems: FileProblems<ServerFile>;
  readonly #leaves = new Map<Purpose, ServedLeaf>();
  #trust: RelayTrust = new Map();
  #trustPem: readonly string[] = [];
  #settings: GatewaySettings;

  constructor(
    settings: GatewaySettings,
    private readonly parts: GatewayFilesParts,
  ) {
    this.#problems = new FileProblems(parts.log, parts.listener);
    this.#settings = settings;
  }

  get settings(): GatewaySettings {
    return this.#settings;
  }

  /** Authorities of relays, by their namespace. */
  get trust(): RelayTrust {
    return this.#trust;
  }

  /** The same as PEM, all of them. */
  get trustPem(): readonly string[] {
    return this.#trustPem;
  }

  /** The certificate of a listener; undefined until there was a good one. */
  leaf(purpose: Purpose): ServedLeaf | undefined {
    return this.#leaves.get(purpose);
  }

  /** Reads all files, tells the listener, and follows them. */
  async start(): Promise<void> {
    const { settingsPath } = this.parts;
    const { tls, relays } = this.#settings;
    this.#watched.add([settingsPath], () => this.#load('settings', () => this.#readSettings()));
    for (const purpose of ['public', 'internal'] as const) {
      const { certificateFile, keyFile } = tls[purpose];
      this.#watched.add([certificateFile, keyFile], () =>
        this.#load(`${purpose}-tls`, () => this.#readLeaf(purpose)),
      );
    }
    // A mounted folder changes by the link ..data in it; one that is written by hand changes itself.
    const folder = relays.trustDirectory;
    this.#watched.add([relays.directoryFile, folder, join(folder, '..data')], () =>
      this.#load('relay-trust', () => this.#readTrust()),
    );
    await this.#watched.start();
  }

  stop(): void {
    this.#watched.stop();
  }

  /** Reads what changed now; for tests and a command. */
  look(): Promise<void> {
    return this.#watched.look();
  }

  /** Why nobody can be let in. */
  problems(): readonly string[] {
    return (['public', 'internal'] as const)
      .filter((purpose) => !this.#leaves.has(purpose))
      .map((purpose) => this.#problems.of(`${purpose}-tls`) ?? `no ${purpose} certificate yet`);
  }

  /** What is wrong and does not matter yet. */
  warnings(): readonly string[] {
    const kept = this.#problems.warnings(
      (file) => !file.endsWith('-tls') || this.#leaves.has(purposeOf(file)),
    );
    const certificates = [...this.#leaves].flatMap(([purpose, leaf]) => [
      ...(leaf.notAfterMs <= this.parts.unixMs()
        ? [`${purpose}-tls: the certificate has ended`]
        : []),
      ...leaf.missing.map((name) => `${purpose}-tls: the certificate does not name ${name}`),
    ]);
    return [...kept, ...certificates];
  }

  /** Whether the content was taken over. */
  #load(file: ServerFile, read: () => Promise<void>): Promise<boolean> {
    return this.#problems.load(file, read);
  }

  async #readSettings(): Promise<void> {
    const next = await readGatewaySettings(this.parts.settingsPath);
    const { settings, needsRestart } = settingsChange(GATEWAY_SETTINGS, this.#settings, next);
    this.#settings = settings;
    this.parts.listener.settings(settings);
    if (needsRestart)
      this.parts.log.warn('settings changed that only a new process takes up', {
        file: 'settings',
      });
  }

  async #readLeaf(purpose: Purpose): Promise<void> {
    const { certificateFile, keyFile } = this.#settings.tls[purpose];
    const certificate = await readSmallFile(certificateFile);
    const key = await readSmallFile(keyFile);
    refuseOpenKeyFile(keyFile, key.mode);
    const text = { certificate: certificate.text, key: key.text, certificateFile, keyFile };
    const leaf = readServedLeaf({ ...text, ...this.#namesOf(purpose) }, this.parts.unixMs());
    refuseUnusable(leaf, certificateFile);
    const isNew = leaf.fingerprint !== this.#leaves.get(purpose)?.fingerprint;
    this.#leaves.set(purpose, leaf);
    if (!isNew) return;
    this.parts.log.info('certificate taken over', {
      file: `${purpose}-tls`,
      notAfter: new Date(leaf.notAfterMs),
    });
    this.parts.listener.tls();
  }

  /** Behind an ingress clients see the certificate of the ingress: which names ours has is between the two. */
  #namesOf(purpose: Purpose): Pick<LeafText, 'names' | 'uri'> {
    const { hosts, trustedProxies, gateway } = this.#settings;
    if (purpose === 'internal') return { names: [], uri: gateway.identity };
    return { names: trustedProxies.required ? [] : hosts };
  }

  async #readTrust(): Promise<void> {
    const folder = this.#settings.relays.trustDirectory;
    const trust = new Map<string, readonly X509Certificate[]>();
    const texts: string[] = [];
    for (const name of (await readdir(folder)).sort()) {
      const namespace = /^([a-z0-9-]{1,63})\.crt$/.exec(name)?.[1];
      if (namespace === undefined) continue;
      const { text } = await readSmallFile(join(folder, name));
      const authorities = certificatesIn(text);
      if (!authorities.every(({ ca }) => ca))
        throw new Error(`${name} holds a certificate of no authority`);
      trust.set(namespace, authorities);
      texts.push(text);
    }
    this.#trust = trust;
    this.#trustPem = texts;
    this.parts.listener.tls();
  }
}

const purposeOf = (file: ServerFile): Purpose => (file === 'public-tls' ? 'public' : 'internal');

/** Whether TLS takes the rest of the chain and a key of this kind: who serves with it would hear it too late. */
function refuseUnusable({ certificate, key }: ServedLeaf, path: string): void {
  try {
    createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' });
  } catch (cause) {
    throw new ActionableError(
      'ERR_SETTINGS_FILE',
      `The file ${path} holds no chain for TLS 1.3 (${messageOf(cause)}).`,
      'Correct the Secret of the gateway; see the events of the SignalingGateway.',
      { cause },
    );
  }
}
