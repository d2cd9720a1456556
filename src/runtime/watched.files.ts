/*
 * Files that may change while the program runs. Kubernetes swaps a symbolic link above a mounted file, editors write in
 * place, and neither is told reliably by fs.watch: so inode, size and time of what the path leads to are looked at every
 * second, and the content is read only when they differ. Memory and time are bounded by the size limit.
 */
import { stat } from 'node:fs/promises';
import { messageOf } from './errors.js';

/** How often files are looked at. The kubelet itself takes up to a minute. */
const LOOK_EVERY_MS = 1_000;

/** After how many looks a file that was not taken over is read again. */
const RETRY_AFTER_LOOKS = 60;

/** Looks at groups of files and says which group changed. */
export class WatchedFiles {
  readonly #groups: {
    readonly paths: readonly string[];
    seen: string;
    /** Looks until the group is read again though nothing changed; 0 if it was read well. */
    again: number;
    changed(): Promise<boolean>;
  }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking = Promise.resolve();

  constructor(private readonly everyMs = LOOK_EVERY_MS) {}

  /**
   * Calls `changed` at the first look, after each change of one of `paths`, and a minute after it said false: a file may
   * become right by the clock alone, as a certificate that begins later. It must not reject.
   */
  add(paths: readonly string[], changed: () => Promise<boolean>): void {
    this.#groups.push({ paths, seen: '', again: 0, changed });
  }

  /** Looks once now, then again and again. Resolves when every group was looked at once. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), this.everyMs);
  }

  /** Looks now; two looks never overlap. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOnce());
    return this.#looking;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #lookOnce(): Promise<void> {
    for (const group of this.#groups) {
      const seen = (await Promise.all(group.paths.map(stateOf))).join();
      if (seen === group.seen && --group.again !== 0) continue;
      group.seen = seen;
      group.again = (await group.changed()) ? 0 : RETRY_AFTER_LOOKS;
    }
  }
}

/** Differs when the content may; an absent file has a state of its own. */
async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return `absent ${messageOf(error).slice(0, 40)}`;
  }
}
