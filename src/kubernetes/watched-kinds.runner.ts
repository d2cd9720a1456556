import type { Scope } from './client-types.js';
import type { ClusterClient } from './cluster.client.js';
import type { EngineReports } from './engine.reports.js';
import { GROUP, MANAGED_SELECTOR } from './metadata.js';
import { Reflector } from './reflector.client.js';
import type { ResourceKind } from './resources.js';
import type { Change, Store } from './store.js';

/** How often a kind of somebody else's CustomResourceDefinition is asked for again. */
const RECHECK_MS = 60_000;
/** After a failed question. */
const RETRY_MS = 2_000;

export interface WatchedKindsOptions {
  readonly client: ClusterClient;
  readonly store: Store;
  readonly kinds: readonly ResourceKind[];
  readonly onChange: (change: Change) => void;
  /** Everything of a namespace, or of all, is in the cache for the first time. */
  readonly onReady: () => void;
  /** A kind has come (its objects are in the cache) or gone. */
  readonly onServed: () => void;
  /** A watch works again, or anew. */
  readonly onReconnect: () => void;
  /** How often to ask for optional kinds again, in milliseconds. */
  readonly recheckMs?: number;
  readonly reports: EngineReports;
}

/** One reflector for each kind in each namespace taken; kinds that may be absent are followed while they are served. */
export class WatchedKinds {
  readonly #options: WatchedKindsOptions;
  readonly #taken = new Map<string | undefined, Map<ResourceKind, Reflector>>();
  readonly #ready = new Set<string | undefined>();
  readonly #served = new Map<ResourceKind, boolean>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: WatchedKindsOptions) {
    this.#options = options;
    for (const kind of options.kinds) if (!kind.optional) this.#served.set(kind, true);
  }

  /** Begins to find out which optional kinds are served. */
  start(): void {
    void this.#recheck();
  }

  /** Whether `apiVersion` and `kind` are served, as far as is known. */
  serves(apiVersion: string, kind: string): boolean {
    for (const [known, served] of this.#served) {
      if (known.apiVersion === apiVersion && known.kind === kind) return served;
    }
    return false;
  }

  /** Whether the cache is whole for `namespace`. */
  isReady(namespace: string): boolean {
    return this.#ready.has(undefined) || this.#ready.has(namespace);
  }

  /** Whether the cache is whole for every namespace taken. */
  get hasSynced(): boolean {
    return this.#knowsServed() && [...this.#taken.keys()].every((one) => this.#ready.has(one));
  }

  /** The longest silence of any watch. */
  lastEventAgeMs(): number {
    const ages = [...this.#taken.values()].flatMap((reflectors) =>
      [...reflectors.values()].map((reflector) => reflector.metrics().lastEventAgeMs),
    );
    return Math.max(0, ...ages);
  }

  take(namespace: string | undefined): void {
    if (this.#stopped || this.#taken.has(namespace)) return;
    if (namespace !== undefined) this.#options.store.enter(namespace);
    this.#taken.set(namespace, new Map());
    for (const [kind, served] of this.#served) if (served) this.#follow(namespace, kind);
    this.#checkReady(namespace);
  }

  /**
   * Follows a namespace no longer; nothing in it is touched any more. What plans of other namespaces read of it stays as
   * last known, unless the namespace itself is `gone`: that it left our scope says nothing about what is in it.
   */
  drop(namespace: string, { gone }: { readonly gone: boolean }): void {
    const reflectors = this.#taken.get(namespace);
    this.#taken.delete(namespace);
    this.#ready.delete(namespace);
    this.#options.store.leave(namespace);
    for (const [kind, reflector] of reflectors ?? []) {
      if (gone || !isReadElsewhere(kind)) this.#unfollow(kind, namespace, reflector);
      else void reflector.stop();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const reflectors = [...this.#taken.values()].flatMap((one) => [...one.values()]);
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
  }

  #follow(namespace: string | undefined, kind: ResourceKind): void {
    const { client, store, onChange, onReconnect, reports } = this.#options;
    const reflector = new Reflector({
      client,
      store,
      scope: scopeOf(kind, namespace),
      onChange,
      hooks: {
        onRelist: (_, reason) => {
          reports.relisted(kind.kind, reason);
        },
        onBookmark: () => {
          reports.answered();
        },
        onReconnect: (_, error) => {
          reports.reconnected(kind.kind, error);
          onReconnect();
        },
        onHandlerError: (_, error) => {
          reports.troubled('a change could not be handled', error);
        },
      },
    });
    this.#taken.get(namespace)?.set(kind, reflector);
    reflector.start();
    reflector.synced.then(
      () => {
        this.#checkReady(namespace);
      },
      () => undefined, // Stopped before.
    );
  }

  /** At once: a stopped reflector tells nothing more, and the next one of this scope must not lose what it finds. */
  #unfollow(kind: ResourceKind, namespace: string | undefined, reflector: Reflector): void {
    void reflector.stop();
    const { store, onChange } = this.#options;
    const { apiVersion } = kind;
    const scope = {
      apiVersion,
      kind: kind.kind,
      ...(namespace === undefined ? {} : { namespace }),
    };
    store.drop(scope).forEach(onChange);
  }

  #checkReady(namespace: string | undefined): void {
    const reflectors = this.#taken.get(namespace);
    if (!reflectors || this.#ready.has(namespace) || !this.#knowsServed()) return;
    if (![...reflectors.values()].every((reflector) => reflector.hasSynced)) return;
    this.#ready.add(namespace);
    this.#options.reports.ready(namespace);
    this.#options.onReady();
  }

  #knowsServed(): boolean {
    return this.#options.kinds.every((kind) => this.#served.has(kind));
  }

  /** A plan must never take a kind for absent because nobody could be asked. */
  async #recheck(): Promise<void> {
    const optional = this.#options.kinds.filter((kind) => kind.optional);
    const answers = await Promise.all(optional.map((kind) => this.#check(kind)));
    for (const namespace of this.#taken.keys()) this.#checkReady(namespace);
    if (this.#stopped || optional.length === 0) return;
    const delayMs = answers.every(Boolean) ? (this.#options.recheckMs ?? RECHECK_MS) : RETRY_MS;
    this.#timer = setTimeout(() => void this.#recheck(), delayMs);
  }

  /** Asks for one kind; false when no answer came. */
  async #check(kind: ResourceKind): Promise<boolean> {
    try {
      const served = await this.#options.client.serves(kind.apiVersion, kind.kind);
      if (!this.#stopped) this.#serve(kind, served);
      return true;
    } catch (error) {
      if (!this.#stopped)
        this.#options.reports.troubled(`cannot tell whether ${kind.kind} is served`, error);
      return false;
    }
  }

  #serve(kind: ResourceKind, served: boolean): void {
    const before = this.#served.get(kind);
    if (before === served) return;
    this.#served.set(kind, served);
    for (const [namespace, reflectors] of this.#taken) {
      const reflector = reflectors.get(kind);
      if (served && !reflector) this.#follow(namespace, kind);
      if (served || !reflector) continue;
      reflectors.delete(kind);
      this.#unfollow(kind, namespace, reflector);
    }
    if (before !== undefined) void this.#announce(kind, served);
  }

  /** Once the cache holds the kind: a pass before that would take every object of it for missing. */
  async #announce(kind: ResourceKind, served: boolean): Promise<void> {
    const reflectors = [...this.#taken.values()].flatMap((one) => one.get(kind) ?? []);
    await Promise.allSettled(reflectors.map((reflector) => reflector.synced));
    if (this.#stopped) return;
    this.#options.reports.served(kind.kind, served);
    this.#options.onServed();
  }
}

/** Plans of other namespaces read our own kinds, and in Secrets the public facts of keys and certificates. */
function isReadElsewhere({ apiVersion, kind }: ResourceKind): boolean {
  return apiVersion.startsWith(`${GROUP}/`) || kind === 'Secret';
}

/** Our own kinds whole, of all others only what carries our label. */
function scopeOf({ apiVersion, kind }: ResourceKind, namespace: string | undefined): Scope {
  return {
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(apiVersion.startsWith(`${GROUP}/`) ? {} : { labelSelector: MANAGED_SELECTOR }),
  };
}
