/*
 * The cluster in memory, kept in one file: a second run goes on with the same keys, certificates, identities and
 * statuses. The file holds private keys: only its owner may read it.
 */
import { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ActionableError, messageOf } from '../runtime/errors.js';
import type { KeptObject } from './in-memory-cluster.js';

/** Version of the file. */
const VERSION = 1;
/** No write more often than this; at most this much is lost when the machine stops. */
const WRITE_AFTER_MS = 200;
const OTHERS = 0o077;

/** Reads and writes the state of a folder. */
export class StateFile {
  readonly #path: string;
  readonly #take: () => readonly KeptObject[];
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /**
   * `take` gives what is to be kept at the time of writing; `failed` is told when that was not possible: the next change
   * tries again. @throws ActionableError for a folder that cannot be made or written
   */
  constructor(
    folder: string,
    take: () => readonly KeptObject[],
    failed: (error: unknown) => void = () => undefined,
  ) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw unusable(folder, 'cannot be used as state folder', cause);
    }
    this.#path = `${folder}/cluster.json`;
    this.#take = take;
    this.#failed = failed;
  }

  /** What an earlier run kept; empty at the first one. @throws ActionableError for a file that cannot be used */
  read(): readonly KeptObject[] {
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    if ((stat.mode & OTHERS) !== 0) throw problem(this.#path, 'may be read by others', 'chmod 600');
    const text = this.#text();
    try {
      const kept = JSON.parse(text) as {
        version?: unknown;
        objects?: readonly KeptObject[];
      };
      const { version, objects } = kept;
      if (version === VERSION && objects instanceof Array && objects.every(isObject))
        return objects;
    } catch (cause) {
      throw problem(this.#path, 'is not whole', 'remove the folder', cause);
    }
    throw problem(this.#path, 'is of another version', 'remove the folder');
  }

  #text(): string {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (cause) {
      throw unusable(this.#path, 'cannot be read', cause);
    }
  }

  /** Something changed: it is written soon. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.flush().catch(this.#failed);
    }, WRITE_AFTER_MS);
  }

  /** Writes now; what was there stays whole until the new file is on the disk. @throws ActionableError if it cannot be written */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // A failure was told to who waited for it; this write stands for itself.
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      await this.#replace();
    } catch (cause) {
      throw unusable(this.#path, 'cannot be written', cause);
    }
  }

  async #replace(): Promise<void> {
    const text = JSON.stringify({ version: VERSION, objects: this.#take() });
    const fresh = `${this.#path}.new`;
    const file = await open(fresh, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(fresh, this.#path);
  }
}

/** What is read has no type yet: enough of it is looked at that a torn file is told from a whole one. */
function isObject(kept: Torn | null): boolean {
  const { kind, metadata } = kept?.put ?? {};
  return typeof kind === 'string' && typeof metadata?.name === 'string';
}

interface Torn {
  readonly put?: { readonly kind?: unknown; readonly metadata?: { readonly name?: unknown } };
}

function unusable(path: string, what: string, cause: unknown): ActionableError {
  const hint = 'Make room or allow it there, or name another folder with --state.';
  return new ActionableError('ERR_STATE', `${path} ${what}: ${messageOf(cause)}.`, hint, { cause });
}

function problem(path: string, what: string, remedy: string, cause?: unknown): ActionableError {
  const hint = `To go on: ${remedy}. Removing the folder makes new keys and forgets all accounts.`;
  return new ActionableError('ERR_STATE', `${path} ${what}.`, hint, { cause });
}
