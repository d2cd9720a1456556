/*
 * The cluster in memory, kept in one file: a second run goes on with the same keys, certificates, identities and
 * statuses. The file holds private keys: only its owner may read it.
 */
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ActionableError } from '../runtime/errors.js';
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
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** `take` gives what is to be kept at the time of writing. */
  constructor(folder: string, take: () => readonly KeptObject[]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#path = `${folder}/cluster.json`;
    this.#take = take;
  }

  /** What an earlier run kept; empty at the first one. @throws ActionableError for a file that cannot be used */
  read(): readonly KeptObject[] {
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    if ((stat.mode & OTHERS) !== 0) throw problem(this.#path, 'may be read by others', 'chmod 600');
    try {
      const kept = JSON.parse(readFileSync(this.#path, 'utf8')) as {
        version?: unknown;
        objects?: readonly KeptObject[];
      };
      if (kept.version === VERSION && kept.objects !== undefined) return kept.objects;
    } catch (cause) {
      throw problem(this.#path, 'is not whole', 'remove the folder', cause);
    }
    throw problem(this.#path, 'is of another version', 'remove the folder');
  }

  /** Something changed: it is written soon. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      void this.flush();
    }, WRITE_AFTER_MS);
  }

  /** Writes now; what was there stays whole until the new file is on the disk. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
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

function problem(path: string, what: string, remedy: string, cause?: unknown): ActionableError {
  const hint = `To go on: ${remedy}. Removing the folder makes new keys and forgets all accounts.`;
  return new ActionableError('ERR_STATE', `${path} ${what}.`, hint, { cause });
}
