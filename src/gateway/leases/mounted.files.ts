/*
 * The mounted files of leases, followed while the program runs: lease keys and relays.json. What cannot be read or is
 * wrong leaves what was there before in use, and is said so. Private halves are read as bytes, kept in one buffer, and
 * overwritten at the next reading that has no use for them: at once when a key was revoked, after its end when it was
 * followed by another, because relays may not have the new one yet.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.js';
import { KeyStore } from '../../protocol/key-store.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/log.js';
import { readSmallFile } from '../../runtime/small.file.js';
import type { WatchedFiles } from '../../runtime/watched.files.js';
import type { GatewaySettings } from '../settings.js';
import type { LeaseFiles } from './lease-files.js';
import { isMounted, readKeyIndex, type GatewayKey, type GatewayKeys } from './lease-keys.js';
import type { LeaseFile } from './lease.metrics.js';
import { readRelayPlaces, type RelayPlaces } from './relay-directory.js';

/** Permission bits of everybody who is neither owner nor in the group of a file. */
const OTHERS = 0o007;
/** A PKCS 8 PEM of an Ed25519 key has 119 bytes. */
const MAX_PEM_BYTES = 1_024;
/** RFC 8410, section 7: the private key stands in the last 32 bytes. */
const SEED_BYTES = 32;
/** Room for as many keys as the index names. */
const KEY_STORE_BYTES = 2_048;

/** Where the files are. */
export type LeaseFilePaths = Pick<GatewaySettings, 'keys' | 'relays'>;

/** What the files are read with. */
export interface MountedFilesParts {
  readonly paths: LeaseFilePaths;
  readonly rolesOf: LeaseFiles['rolesOf'];
  readonly log: Logger;
  /** After each reading. */
  readonly loaded: (file: LeaseFile, outcome: 'success' | 'failure') => void;
  readonly unixMs: () => number;
}

/** The newest good content of each file. */
export class MountedLeaseFiles implements LeaseFiles {
  readonly #store = new KeyStore(KEY_STORE_BYTES);
  readonly #seeds = new Map<string, Uint8Array>();
  #keys: GatewayKeys | undefined;
  #places: RelayPlaces | undefined;

  constructor(private readonly parts: MountedFilesParts) {}

  readonly rolesOf: LeaseFiles['rolesOf'] = (account) => this.parts.rolesOf(account);

  keys(): GatewayKeys | undefined {
    return this.#keys;
  }

  relays(): RelayPlaces | undefined {
    return this.#places;
  }

  /** Has both read now and whenever they change, once `watched` is started. */
  watch(watched: WatchedFiles): void {
    const { keys, relays } = this.parts.paths;
    // The folder as well: private halves come and go without a change of the index being the last.
    watched.add([keys.indexFile, keys.directory], () =>
      this.#load('lease-keys', () => this.#readKeys()),
    );
    watched.add([relays.directoryFile], () => this.#load('relays', () => this.#readPlaces()));
  }

  /**
   * Looks at the private halves before anything else is started; what is not there yet is no reason to stop.
   * @throws ActionableError ERR_SETTINGS_FILE when others than owner and group may use one
   */
  async refuseOpenKeys(): Promise<void> {
    const { indexFile } = this.parts.paths.keys;
    const index = await readSmallFile(indexFile).catch(() => undefined);
    if (!index) return;
    for (const { kid } of await this.#mounted(readKeyIndex(index.text, indexFile)))
      await this.#readSeed(kid).then(
        (seed) => seed.fill(0),
        (error: unknown) => {
          if (error instanceof OpenKeyFile) throw error;
        },
      );
  }

  /** Overwrites every private half; nothing can be signed any more. */
  erase(): void {
    this.#store.eraseAll();
    this.#seeds.clear();
    this.#keys = undefined;
  }

  async #load(file: LeaseFile, read: () => Promise<void>): Promise<boolean> {
    const { log, loaded } = this.parts;
    try {
      await read();
      loaded(file, 'success');
      return true;
    } catch (error) {
      const [problem, hint] =
        error instanceof ActionableError ? [error.problem, error.hint] : [messageOf(error), ''];
      log.error('file not taken over', { file, problem, hint });
      loaded(file, 'failure');
      return false;
    }
  }

  async #readPlaces(): Promise<void> {
    const { directoryFile } = this.parts.paths.relays;
    const { text } = await readSmallFile(directoryFile);
    this.#places = readRelayPlaces(text, directoryFile);
  }

  async #readKeys(): Promise<void> {
    const { indexFile } = this.parts.paths.keys;
    const { text } = await readSmallFile(indexFile);
    const all = readKeyIndex(text, indexFile);
    const read = new Map<string, Uint8Array>();
    try {
      for (const key of await this.#mounted(all)) read.set(key.kid, await this.#seedOf(key));
      this.#take(all, read);
    } finally {
      for (const seed of read.values()) seed.fill(0);
    }
  }

  /** Current and next, which must be there, and those of retired ones that are. */
  async #mounted(all: readonly GatewayKey[]): Promise<readonly GatewayKey[]> {
    const isThere = (kid: string) =>
      access(this.#pathOf(kid)).then(
        () => true,
        () => false,
      );
    const mounted: GatewayKey[] = [];
    for (const key of all)
      if (isMounted(key) || (key.state === 'retired' && (await isThere(key.kid))))
        mounted.push(key);
    return mounted;
  }

  /** Everything was read well: from here on nothing can fail. */
  #take(all: readonly GatewayKey[], read: ReadonlyMap<string, Uint8Array>): void {
    const nowMs = this.parts.unixMs();
    const kept = new Set(
      all
        .filter(({ state, notAfterMs }) => state !== 'revoked' && notAfterMs > nowMs)
        .map(({ kid }) => kid),
    );
    for (const [kid, seed] of this.#seeds) {
      if (kept.has(kid)) continue;
      this.#store.erase(seed);
      this.#seeds.delete(kid);
    }
    for (const [kid, seed] of read)
      if (kept.has(kid) && !this.#seeds.has(kid)) this.#seeds.set(kid, this.#store.takeCopy(seed));
    this.#keys = { all, seedOf: (kid) => this.#seeds.get(kid) };
  }

  /** The seed of a key whose public half is what the index says. */
  async #seedOf({ kid, publicKey }: GatewayKey): Promise<Uint8Array> {
    const seed = await this.#readSeed(kid);
    if (equalBytes(publicHalf(seed), publicKey)) return seed;
    seed.fill(0);
    throw wrong(this.#pathOf(kid), 'is not the private half of that key');
  }

  /** A fresh copy of the seed in the file of `kid`; the caller's to overwrite. */
  async #readSeed(kid: string): Promise<Uint8Array> {
    const path = this.#pathOf(kid);
    const pem = await readPrivateBytes(path);
    try {
      return seedIn(pem);
    } catch {
      // The parser's own words could quote the file.
      throw wrong(path, 'holds no Ed25519 private key (PKCS 8, PEM)');
    } finally {
      pem.fill(0);
    }
  }

  #pathOf(kid: string): string {
    return join(this.parts.paths.keys.directory, `${kid}.pem`);
  }
}

/** A private key file that others may use. */
class OpenKeyFile extends ActionableError {}

/** The bytes of a private key file that nobody else may read. @throws ActionableError ERR_SETTINGS_FILE */
async function readPrivateBytes(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw wrong(path, `cannot be read (${messageOf(error)})`);
    },
  );
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > MAX_PEM_BYTES) throw wrong(path, 'is no key file');
    if ((status.mode & OTHERS) !== 0) throw openKeyFile(path, status.mode);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function seedIn(pem: Buffer): Uint8Array {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('another kind of key');
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const seed = Uint8Array.from(der.subarray(-SEED_BYTES));
  der.fill(0);
  return seed;
}

/** RFC 8410, section 7: what stands before the 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function publicHalf(seed: Uint8Array): Uint8Array {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  try {
    const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    return key.export({ type: 'spki', format: 'der' }).subarray(-SEED_BYTES);
  } finally {
    der.fill(0);
  }
}

const openKeyFile = (path: string, mode: number): OpenKeyFile =>
  new OpenKeyFile(
    'ERR_SETTINGS_FILE',
    `The private key file ${path} has mode ${(mode & 0o777).toString(8).padStart(4, '0')}: others than its owner and group may use it.`,
    'Give it mode 0440 or 0400 (Secret volume: defaultMode 0440), and replace the key: it may be known.',
  );

const wrong = (path: string, problem: string): ActionableError =>
  new ActionableError(
    'ERR_SETTINGS_FILE',
    `The file ${path} ${problem}.`,
    'The operator writes it with the lease keys; see the events of the SignalingGateway.',
  );
