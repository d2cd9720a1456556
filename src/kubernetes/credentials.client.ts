import { readFile, stat } from 'node:fs/promises';
import type { ClientConfig } from './client-types.js';

/** A file whose text is read again when it was replaced (kubelet swaps a link, cert-manager writes anew). */
class ReloadedFile {
  #version = '';
  #text: string | undefined;

  constructor(private readonly path: string) {}

  /** The text as of now. A file that has vanished keeps its last text: kubelet may be swapping it. */
  async read(): Promise<string> {
    try {
      const { mtimeMs, ino, size } = await stat(this.path);
      const version = `${mtimeMs}/${ino}/${size}`;
      if (version !== this.#version || this.#text === undefined) {
        this.#text = await readFile(this.path, 'utf8');
        this.#version = version;
      }
    } catch (error) {
      if (this.#text === undefined) throw new Error(`reading ${this.path}`, { cause: error });
    }
    return this.#text;
  }
}

/** What a call shows to the API server, and what it expects of it. */
export interface CurrentCredentials {
  readonly token: string | undefined;
  readonly ca: string | undefined;
}

/** Token and CA as they are now: from the configuration, from files that change, or from a provider. */
export class Credentials {
  readonly #config: ClientConfig;
  readonly #checkEveryMs: number;
  readonly #tokenFile: ReloadedFile | undefined;
  readonly #caFile: ReloadedFile | undefined;
  #current: Promise<CurrentCredentials> | undefined;
  #provided: Promise<string> | undefined;
  #lastProvided: string | undefined;
  #checkedAtMs = 0;

  constructor(config: ClientConfig, checkEveryMs: number) {
    this.#config = config;
    this.#checkEveryMs = checkEveryMs;
    if (config.tokenFile !== undefined) this.#tokenFile = new ReloadedFile(config.tokenFile);
    if (config.caFile !== undefined) this.#caFile = new ReloadedFile(config.caFile);
  }

  /** Looks at the files when the last look is long enough ago. One look serves all callers that wait for it. */
  async current(): Promise<CurrentCredentials> {
    const nowMs = performance.now();
    if (!this.#current || nowMs - this.#checkedAtMs >= this.#checkEveryMs) {
      this.#checkedAtMs = nowMs;
      this.#current = this.#read();
    }
    try {
      return await this.#current;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /**
   * Makes the next call look at the files, and ask the provider if its token is the one that was refused:
   * of a hundred calls that are refused together, ninety-nine come when there is a new one already.
   */
  expire(refusedToken?: string): void {
    this.#current = undefined;
    if (refusedToken === this.#lastProvided) this.#provided = undefined;
  }

  /** Whether a refused call may succeed with another token. */
  get canReload(): boolean {
    return this.#tokenFile !== undefined || this.#config.tokenProvider !== undefined;
  }

  async #read(): Promise<CurrentCredentials> {
    const token = (await this.#tokenFile?.read())?.trim() ?? (await this.#askProvider());
    const ca = (await this.#caFile?.read()) ?? this.#config.ca;
    return { token: token ?? this.#config.token, ca };
  }

  /** Single flight: a hundred calls at once start one exec plug-in, not a hundred. */
  async #askProvider(): Promise<string | undefined> {
    const { tokenProvider } = this.#config;
    if (!tokenProvider) return undefined;
    this.#provided ??= tokenProvider();
    try {
      this.#lastProvided = await this.#provided;
      return this.#lastProvided;
    } catch (error) {
      this.#provided = undefined;
      throw error;
    }
  }
}
