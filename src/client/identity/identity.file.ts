/*
 * The identity of this device in its file: sealed-file.ts says how, private.file.ts where. The file key stays in the key
 * store while the file is open, so that no change asks for the passphrase again.
 */
import { randomFillSync } from 'node:crypto';
import { KeyStore, type CryptoContext } from '../../protocol/key-store.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { equalBytes } from '../../protocol/bytes.js';
import { deriveFileKey } from './file-key.js';
import { IdentityError } from './identity-error.js';
import { decodeIdentityRecord } from './identity-record.js';
import { Identity, type TypedPhrase } from './identity.js';
import { IdentityLock } from './identity.lock.js';
import { judgePassphrase, passphraseBytes, PASSPHRASE_HINTS } from './passphrase.js';
import { readPrivateFile, writePrivateFile } from './private.file.js';
import {
  COST,
  decodeSealedFile,
  FILE_KEY_BYTES,
  openFile,
  SALT_BYTES,
  sealFile,
  type SealedFile,
  type SealedFor,
  type SealedKind,
} from './sealed-file.js';

/** Where an identity is and what opens it. */
export interface IdentityPlace {
  readonly path: string;
  /** UTF-8; copied, and the caller's to erase. Never from an argument or the environment: others see those. */
  readonly passphrase: Uint8Array;
  readonly backend: CryptoBackend;
  readonly nowMs: number;
}

const random = (out: Uint8Array): void => {
  randomFillSync(out);
};

/** An open identity file. `close` erases every key of it. */
export class IdentityFile {
  readonly context: CryptoContext;
  readonly identity: Identity;
  readonly path: string;
  #sealing: Omit<SealedFor, 'kind'>;
  #lock: IdentityLock | undefined;

  private constructor(path: string, context: CryptoContext, of: Opened) {
    this.path = path;
    this.context = context;
    this.identity = of.identity;
    this.#sealing = of.sealing;
  }

  /**
   * A new identity with a phrase of `words` words (12, 15, 18, 21 or 24), in a new file. Show its phrase, and let it be
   * typed again (`identity.confirmBackup`).
   * @throws IdentityError ERR_IDENTITY_EXISTS, ERR_IDENTITY_WEAK_PASSPHRASE; RangeError for another number of words.
   */
  static create(place: IdentityPlace, words = 24): Promise<IdentityFile> {
    return IdentityFile.#make(place, (context) =>
      Identity.create(context, words, { random, nowMs: place.nowMs }),
    );
  }

  /**
   * The identity of a phrase in a new file, as a new device. @throws IdentityError ERR_IDENTITY_PHRASE and as `create`.
   */
  static restore(place: IdentityPlace, typed: TypedPhrase): Promise<IdentityFile> {
    return IdentityFile.#make(place, (context) =>
      Identity.restore(context, typed, { random, nowMs: place.nowMs }),
    );
  }

  /**
   * Opens the file at `path`, and renews and saves the device binding if it ends soon.
   * @throws IdentityError ERR_IDENTITY_MISSING, ERR_IDENTITY_FILE_MODE, ERR_IDENTITY_FILE_FORMAT, ERR_IDENTITY_PASSPHRASE.
   */
  static async open({ path, passphrase, backend, nowMs }: IdentityPlace): Promise<IdentityFile> {
    const sealed = requireSealed(path, await readPrivateFile(path), 'identity');
    const context: CryptoContext = { backend, keys: new KeyStore() };
    try {
      const fileKey = await keyOf(context, passphrase, sealed);
      const { cost } = sealed;
      const sealing = { cost, salt: sealed.salt.slice(), fileKey };
      const file = new IdentityFile(path, context, {
        identity: opened(context, sealed, fileKey),
        sealing,
      });
      if (file.identity.renewBinding(nowMs)) await file.save();
      return file;
    } catch (error) {
      context.keys.eraseAll();
      throw error;
    }
  }

  static async #make(
    { path, passphrase, backend }: IdentityPlace,
    make: (context: CryptoContext) => Identity,
  ): Promise<IdentityFile> {
    requireStrong(passphrase);
    const context: CryptoContext = { backend, keys: new KeyStore() };
    try {
      const identity = make(context);
      const sealing = await freshSealing(context, passphrase);
      const file = new IdentityFile(path, context, { identity, sealing });
      await file.#write('new');
      return file;
    } catch (error) {
      context.keys.eraseAll();
      throw error;
    }
  }

  /** Writes what has changed: a new binding, a revocation, the end of the backup. */
  save(): Promise<void> {
    return this.#write('replace');
  }

  /**
   * Seals the file again under another passphrase. What was sealed by `seal` has to be sealed again as well: `before` is
   * called when `seal` uses the new passphrase and the file still has the old one. If it rejects, nothing has changed.
   */
  async changePassphrase(
    passphrase: Uint8Array,
    before: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    requireStrong(passphrase);
    const old = this.#sealing;
    this.#sealing = await freshSealing(this.context, passphrase);
    try {
      await before();
      await this.save();
    } catch (error) {
      this.context.keys.erase(this.#sealing.fileKey);
      this.#sealing = old;
      throw error;
    }
    this.context.keys.erase(old.fileKey);
  }

  /** `plaintext` sealed under the passphrase of this identity, as the bytes of a file. */
  seal(kind: SealedKind, plaintext: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(12);
    random(nonce);
    return sealFile(this.context, { ...this.#sealing, kind }, nonce, plaintext);
  }

  /** What `seal` has sealed. @throws IdentityError ERR_IDENTITY_FILE_FORMAT, or ERR_IDENTITY_PASSPHRASE if it is of another identity or passphrase. */
  unseal(kind: SealedKind, bytes: Uint8Array): Uint8Array {
    const sealed = requireSealed(`the file of ${kind}`, bytes, kind);
    const plaintext = equalBytes(sealed.salt, this.#sealing.salt)
      ? openFile(this.context, sealed, this.#sealing.fileKey)
      : undefined;
    if (plaintext === undefined) throw wrongPassphrase();
    return plaintext;
  }

  /**
   * Keeps other programs from using this endpoint until `close`, where the system can; may be called again.
   * @throws IdentityError ERR_IDENTITY_IN_USE.
   */
  lock(): void {
    this.#lock ??= IdentityLock.take(this.path);
  }

  /** Erases every key, and lets other programs use the endpoint. May be called again. */
  close(): void {
    this.#lock?.close();
    this.#lock = undefined;
    this.identity.close();
    this.context.keys.eraseAll();
  }

  async #write(how: 'new' | 'replace'): Promise<void> {
    const record = this.identity.encode();
    try {
      await writePrivateFile(this.path, this.seal('identity', record), how);
    } finally {
      record.fill(0);
    }
  }
}

interface Opened {
  readonly identity: Identity;
  readonly sealing: Omit<SealedFor, 'kind'>;
}

async function freshSealing(
  context: CryptoContext,
  passphrase: Uint8Array,
): Promise<Omit<SealedFor, 'kind'>> {
  const salt = new Uint8Array(SALT_BYTES);
  random(salt);
  return { cost: COST, salt, fileKey: await keyOf(context, passphrase, { cost: COST, salt }) };
}

async function keyOf(
  { keys }: CryptoContext,
  typed: Uint8Array,
  { salt, cost }: Pick<SealedFor, 'salt' | 'cost'>,
): Promise<Uint8Array> {
  const passphrase = passphraseBytes(typed);
  if (passphrase === undefined) throw wrongPassphrase();
  const fileKey = keys.take(FILE_KEY_BYTES);
  try {
    await deriveFileKey(passphrase, salt, cost, fileKey);
    return fileKey;
  } finally {
    passphrase.fill(0);
  }
}

function opened(context: CryptoContext, sealed: SealedFile, fileKey: Uint8Array): Identity {
  const plaintext = openFile(context, sealed, fileKey);
  if (plaintext === undefined) throw wrongPassphrase();
  try {
    const record = decodeIdentityRecord(plaintext);
    if (typeof record === 'string') throw wrongFormat('The file', record);
    return Identity.of(context, record);
  } finally {
    plaintext.fill(0);
  }
}

function requireSealed(what: string, bytes: Uint8Array, kind: SealedKind): SealedFile {
  const sealed = decodeSealedFile(bytes);
  if (typeof sealed === 'string') throw wrongFormat(what, sealed);
  if (sealed.kind !== kind) throw wrongFormat(what, 'sealed-kind');
  return sealed;
}

function requireStrong(passphrase: Uint8Array): void {
  const refusal = judgePassphrase(passphrase);
  if (refusal !== undefined)
    throw new IdentityError(
      'ERR_IDENTITY_WEAK_PASSPHRASE',
      `This passphrase is not taken (${refusal}).`,
      PASSPHRASE_HINTS[refusal],
      refusal,
    );
}

const wrongFormat = (what: string, reason: string) =>
  new IdentityError(
    'ERR_IDENTITY_FILE_FORMAT',
    `${what} is none of ours, or of a later version (${reason}).`,
    'Name the identity file, or restore the identity from its phrase.',
    reason,
  );

const wrongPassphrase = () =>
  new IdentityError(
    'ERR_IDENTITY_PASSPHRASE',
    'The passphrase is wrong, or the file was changed.',
    'Type it again; if it is lost, restore the identity from its phrase.',
  );
