import type { ClusterClient } from './cluster.client.js';
import { fixedNamespaces, scopeChange } from './namespace-scope.js';
import type { NamespaceScope } from './namespace-scope.js';
import { Reflector } from './reflector.client.js';
import { Store } from './store.js';
import type { Change } from './store.js';

export interface ScopeRunnerOptions {
  readonly client: ClusterClient;
  readonly scope: NamespaceScope;
  /** `undefined`: all namespaces at once. */
  readonly onTaken: (namespace: string | undefined) => void;
  /** `gone`: it was being deleted, and so was everything in it. */
  readonly onDropped: (namespace: string, how: { readonly gone: boolean }) => void;
  /** The namespaces are known for the first time. */
  readonly onSynced: () => void;
}

/** Tells which namespaces to watch: at once when they are named, by watching Namespaces when labels choose them. */
export class NamespaceScopeRunner {
  readonly #options: ScopeRunnerOptions;
  readonly #store = new Store({ fieldManager: '' });
  readonly #ending = new Set<string>();
  #taken: ReadonlySet<string> = new Set();
  #reflector: Reflector | undefined;

  constructor(options: ScopeRunnerOptions) {
    this.#options = options;
  }

  /** The namespaces that are watched one by one now; empty when all are watched at once. */
  get taken(): ReadonlySet<string> {
    return this.#taken;
  }

  get hasSynced(): boolean {
    return this.#reflector === undefined || this.#reflector.hasSynced;
  }

  start(): void {
    const { client, scope, onTaken, onSynced } = this.#options;
    const fixed = fixedNamespaces(scope);
    this.#taken = new Set(fixed.filter((namespace) => namespace !== undefined));
    for (const namespace of fixed) onTaken(namespace);
    if (scope.type !== 'Labelled') return;
    const { labelSelector } = scope;
    this.#reflector = new Reflector({
      client,
      store: this.#store,
      scope: { apiVersion: 'v1', kind: 'Namespace', labelSelector },
      onChange: (change) => {
        this.#note(change);
        this.#update();
      },
    });
    this.#reflector.start();
    this.#reflector.synced.then(onSynced, () => undefined);
  }

  async stop(): Promise<void> {
    await this.#reflector?.stop();
  }

  /** A deletion takes away what is in a namespace first; when the namespace goes itself, it was marked before. */
  #note({ type, ref, now }: Change): void {
    if (now.own) return;
    if (now.child.deletionTimestamp !== undefined) this.#ending.add(ref.name);
    else if (type !== 'Deleted') this.#ending.delete(ref.name);
  }

  #update(): void {
    const { scope, onTaken, onDropped } = this.#options;
    const always = fixedNamespaces(scope).filter((namespace) => namespace !== undefined);
    const labelled = this.#store.childrenOfKind('v1', 'Namespace').map(({ ref }) => ref.name);
    const now = new Set([...always, ...labelled]);
    const { taken, dropped } = scopeChange(this.#taken, now);
    this.#taken = now;
    for (const namespace of dropped) onDropped(namespace, { gone: this.#ending.has(namespace) });
    taken.forEach(onTaken);
  }
}
