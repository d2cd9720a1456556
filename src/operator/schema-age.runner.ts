import { isApiError } from '../kubernetes/api-error.js';
import type { ClusterClient } from '../kubernetes/cluster.client.js';
import type { Logger } from '../runtime/log.js';
import {
  absentKinds,
  documentPath,
  outdatedKinds,
  revisionsIn,
  type OutdatedKind,
} from './schema-age.js';

/** How often the index of /openapi/v3 is read (about 10 kB); the document itself only when its hash is another. */
const LOOK_EVERY_MS = 300_000;
/** The same while something is outdated or could not be read: whoever upgrades the CRDs waits for it. */
const LOOK_AGAIN_MS = 5_000;

export interface SchemaAgeOptions {
  readonly client: Pick<ClusterClient, 'readJson'>;
  readonly log: Logger;
  /** After the set of outdated kinds has changed, the first answer included. */
  readonly onChange: () => void;
}

/** Watches how old the CRDs are, from `start` until `stop`. */
export class SchemaAge {
  readonly #options: SchemaAgeOptions;
  #outdated: readonly OutdatedKind[] | undefined;
  #absent: readonly string[] = [];
  #path: string | undefined;
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: SchemaAgeOptions) {
    this.#options = options;
  }

  /** The kinds whose CRD is older than this operator; undefined until the API server has answered once. */
  get outdated(): readonly OutdatedKind[] | undefined {
    return this.#outdated;
  }

  /** The kinds that have no CRD at all: the caches wait for them. */
  get absent(): readonly string[] {
    return this.#absent;
  }

  /** Looks now, and again and again. */
  start(): void {
    void this.#look().then(() => {
      if (this.#stopped) return;
      const fine = this.#outdated?.length === 0 && this.#absent.length === 0;
      this.#timer = setTimeout(
        () => {
          this.start();
        },
        fine && !this.#failed ? LOOK_EVERY_MS : LOOK_AGAIN_MS,
      );
    });
  }

  /** Looks no more; idempotent. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { client, log } = this.#options;
    try {
      const path = documentPath(await client.readJson('/openapi/v3'));
      if (path === undefined) this.#take(new Map());
      else if (path !== this.#path) this.#take(revisionsIn(await client.readJson(path)));
      this.#path = path;
      this.#failed = false;
    } catch (error) {
      if (this.#stopped) return;
      if (!this.#failed) log.warn('cannot tell how old the CRDs are', { error: messageOf(error) });
      this.#failed = true;
      // Whoever took this from every user has decided that nobody shall know; work goes on.
      if (isApiError(error, 'Forbidden') || isApiError(error, 'NotFound'))
        this.#note(this.#outdated ?? []);
    }
  }

  #take(revisions: ReadonlyMap<string, number>): void {
    const before = this.#absent;
    this.#absent = absentKinds(revisions);
    if (this.#absent.length > 0 && JSON.stringify(before) !== JSON.stringify(this.#absent))
      this.#options.log.error('CRDs are not installed', {
        kinds: this.#absent,
        hint: 'Install chart sallyport-cluster, or apply crds/ of this release.',
      });
    this.#note(outdatedKinds(revisions));
  }

  #note(outdated: readonly OutdatedKind[]): void {
    const before = this.#outdated;
    this.#outdated = outdated;
    if (JSON.stringify(before) === JSON.stringify(outdated)) return;
    for (const { kind, installed, needed } of outdated)
      this.#options.log.error('a CRD is older than this operator', { kind, installed, needed });
    if (before !== undefined && before.length > 0 && outdated.length === 0)
      this.#options.log.info('all CRDs are as new as this operator', {});
    this.#options.onChange();
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
