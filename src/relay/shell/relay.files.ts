/*
 * The three things that a relay reads: settings.json, gateways.json and its leaf. At the start bad settings and a private
 * key that others may read stop the program; a directory or a leaf that is absent or wrong leaves it not ready, with the
 * reason, until the file is right. Later a bad file of any kind keeps the content before, and says so.
 */
import { createSecureContext } from 'node:tls';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { FileProblems } from '../../runtime/file-problems.js';
import { refuseOpenKeyFile } from '../../runtime/leaf-files.js';
import { settingsChange } from '../../runtime/live-settings.js';
import type { Logger } from '../../runtime/log.js';
import type { SettingSchema } from '../../runtime/setting-text.js';
import { readSettingsFile } from '../../runtime/settings.file.js';
import { readSmallFile } from '../../runtime/small.file.js';
import { WatchedFiles } from '../../runtime/watched.files.js';
import { parseIpAddress } from '../../runtime/ip-address.js';
import { parseIpRange } from '../../runtime/ip-address.js';
import { RELAY_SETTINGS, type RelaySettings } from '../settings.js';
import { keyProblem, readDirectory, type Directory } from './directory.js';
import { readLeaf, type Leaf } from './leaf.js';
import { badAddress } from './bad-address.js';

/** Which file: a closed list and a metric label. */
export const RELAY_FILES = ['settings', 'gateways', 'tls'] as const;
/** One of RELAY_FILES. */
export type RelayFile = (typeof RELAY_FILES)[number];

/** The schema in the form that `settingsHelp` prints; typebox's type does not say that it is plain JSON Schema. */
export const relaySettingsHelp = RELAY_SETTINGS as unknown as SettingSchema;

/** Who is told when something changed. */
export interface RelayFilesListener {
  settings(settings: RelaySettings): void;
  directory(directory: Directory): void;
  leaf(leaf: Leaf): void;
  /** After each reading of a file. */
  loaded(file: RelayFile, outcome: 'success' | 'failure'): void;
}

/** What the files are read with. */
export interface RelayFilesParts {
  readonly settingsPath: string;
  readonly log: Logger;
  readonly listener: RelayFilesListener;
  unixMs(): number;
}

/**
 * The settings in the file at `path`.
 * @throws ActionableError ERR_SETTINGS_FILE or ERR_SETTING naming setting, value, bounds and remedy
 */
export async function readRelaySettings(path: string): Promise<RelaySettings> {
  const settings = await readSettingsFile(RELAY_SETTINGS, path);
  refuseContradiction(settings, path);
  const bad = badAddress(
    settings,
    (address) => parseIpAddress(address) !== undefined,
    (range) => parseIpRange(range) !== undefined,
  );
  if (!bad) return settings;
  throw new ActionableError(
    'ERR_SETTING',
    `${path}: ${bad.setting} holds "${bad.value}", which is no IP address or range.`,
    `Correct ${bad.setting}.`,
  );
}

function refuseContradiction({ capacity }: RelaySettings, path: string): void {
  const { softKbpsPerSession: soft, hardKbpsPerSession: hard } = capacity;
  if (soft <= hard) return;
  throw new ActionableError(
    'ERR_SETTING',
    `${path}: capacity.softKbpsPerSession=${soft} is above capacity.hardKbpsPerSession=${hard}.`,
    'Correct one of them: nothing is slowed down below the first, everything is dropped above the second.',
  );
}

/** Looks at the private key before anything else is started. @throws ActionableError if others may read it */
export async function refuseOpenKey({ tls }: RelaySettings): Promise<void> {
  // A key that is not there yet is nothing to stop for: the relay is not ready until it is.
  const { mode } = await readSmallFile(tls.keyFile).catch(() => ({ mode: 0 }));
  refuseOpenKeyFile(tls.keyFile, mode);
}

/** The newest good content of each file. */
export class RelayFiles {
  readonly #watched = new WatchedFiles();
  /** What is wrong now, by file. */
  readonly #problems: FileProblems<RelayFile>;
  #settings: RelaySettings;
  #directory: Directory | undefined;
  #leaf: Leaf | undefined;
  #starting = true;

  constructor(
    settings: RelaySettings,
    private readonly parts: RelayFilesParts,
  ) {
    this.#problems = new FileProblems(parts.log, parts.listener);
    this.#settings = settings;
  }

  get settings(): RelaySettings {
    return this.#settings;
  }

  get directory(): Directory | undefined {
    return this.#directory;
  }

  get leaf(): Leaf | undefined {
    return this.#leaf;
  }

  /** Reads all files, tells the listener, and follows them. */
  async start(): Promise<void> {
    const { settingsPath } = this.parts;
    const { tls, gateways } = this.#settings;
    this.#watched.add([settingsPath], () => this.#load('settings', () => this.#readSettings()));
    this.#watched.add([gateways.directoryFile], () =>
      this.#load('gateways', () => this.#readDirectory()),
    );
    this.#watched.add([tls.certificateFile, tls.keyFile], () =>
      this.#load('tls', () => this.#readLeaf()),
    );
    await this.#watched.start();
    this.#starting = false;
  }

  stop(): void {
    this.#watched.stop();
  }

  /** Why no lease can be taken or no certificate shown. */
  problems(): readonly string[] {
    const problems = this.#directory
      ? [keyProblem(this.#directory, this.parts.unixMs())]
      : [this.#problems.of('gateways') ?? 'gateways.json was not read yet'];
    if (!this.#leaf) problems.push(this.#problems.of('tls') ?? 'the certificate was not read yet');
    return problems.filter((problem) => problem !== undefined);
  }

  /** Files whose newest content was not taken over, as texts. */
  warnings(): readonly string[] {
    const kept: Readonly<Record<RelayFile, unknown>> = {
      settings: this.#settings,
      gateways: this.#directory,
      tls: this.#leaf,
    };
    const texts = this.#problems.warnings((file) => kept[file] !== undefined);
    const isOver = this.#leaf !== undefined && this.#leaf.notAfterMs <= this.parts.unixMs();
    return isOver ? [...texts, 'tls: the certificate has ended'] : texts;
  }

  /** Whether the content was taken over. */
  #load(file: RelayFile, read: () => Promise<void>): Promise<boolean> {
    return this.#problems.load(file, read, { starting: this.#starting });
  }

  async #readSettings(): Promise<void> {
    const next = await readRelaySettings(this.parts.settingsPath);
    const { settings, needsRestart } = settingsChange(RELAY_SETTINGS, this.#settings, next);
    this.#settings = settings;
    this.parts.listener.settings(settings);
    if (needsRestart)
      this.parts.log.warn('settings changed that only a new process takes up', {
        file: 'settings',
      });
  }

  async #readDirectory(): Promise<void> {
    const { directoryFile } = this.#settings.gateways;
    const { text } = await readSmallFile(directoryFile);
    this.#directory = readDirectory(text, directoryFile);
    this.parts.listener.directory(this.#directory);
  }

  async #readLeaf(): Promise<void> {
    const { certificateFile, keyFile } = this.#settings.tls;
    const certificate = await readSmallFile(certificateFile);
    const key = await readSmallFile(keyFile);
    refuseOpenKeyFile(keyFile, key.mode);
    const files = { certificate: certificate.text, key: key.text, certificateFile, keyFile };
    const leaf = readLeaf(files, this.#settings.pool.identity, this.parts.unixMs());
    if (leaf.fingerprint === this.#leaf?.fingerprint) return;
    refuseUnusableChain(leaf, certificateFile);
    this.#leaf = leaf;
    this.parts.listener.leaf(leaf);
  }
}

/** Whether TLS takes the rest of the chain and a key of this size: who dials or serves with it would hear it too late. */
function refuseUnusableChain({ certificate, key }: Leaf, path: string): void {
  try {
    createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' });
  } catch (cause) {
    throw new ActionableError(
      'ERR_SETTINGS_FILE',
      `The file ${path} holds no chain for TLS 1.3 (${messageOf(cause)}).`,
      'The operator renews the Secret of the pool; see its events.',
      { cause },
    );
  }
}
