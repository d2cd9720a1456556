import type { KubernetesObject } from './object.js';
import type { ResourceKind } from './resources.js';

/** How to reach an API server and who we are. PEM as text; files are read again when they change. */
export interface ClientConfig {
  /** e.g. `https://10.96.0.1:443`. */
  readonly server: string;
  readonly ca?: string;
  readonly caFile?: string;
  readonly tlsServerName?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  /** Asked at the first call and once more after each 401 (exec plug-ins of a kubeconfig). */
  readonly tokenProvider?: () => Promise<string>;
  readonly clientCert?: { readonly cert: string; readonly key: string };
  /** Namespace of the context or of the pod. */
  readonly namespace?: string;
}

/** One HTTP exchange with the API server, for metrics. */
export interface CallRecord {
  readonly verb: Verb;
  /** Plural name (`deployments`, `deployments/status`), or '' for discovery. */
  readonly resource: string;
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  readonly seconds: number;
}

/** RBAC verbs, as the audit log of the API server writes them; `discovery` stands for non-resource paths. */
export type Verb =
  'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'discovery';

/** A call that is about to be sent or has been answered: for tests that stop at the n-th. */
export interface Call {
  /** 1 for the first call of this client. */
  readonly number: number;
  readonly verb: Verb;
  readonly resource: string;
  readonly path: string;
}

/** Test hooks. What they throw is what the caller gets. */
export interface CallHooks {
  beforeCall?(call: Call): void | Promise<void>;
  /** After the answer came; throwing loses it. */
  afterCall?(call: Call): void | Promise<void>;
}

/** What a client takes besides its configuration. */
export interface ClientOptions {
  /** Most sockets to the API server, watches apart. Default 24. */
  readonly connections?: number;
  /** Deadline of a call with all its retries. Default 30,000. */
  readonly deadlineMs?: number;
  /** How often token and CA files are looked at. Default 10,000. */
  readonly checkFilesEveryMs?: number;
  readonly userAgent?: string;
  readonly onCall?: (record: CallRecord) => void;
  readonly hooks?: CallHooks;
  /** The kinds that this client knows; default: `RESOURCE_KINDS`. */
  readonly kinds?: readonly ResourceKind[];
}

export interface CallOptions {
  /** Aborts the call: it rejects with an ApiError of kind `Aborted`. */
  readonly signal?: AbortSignal | undefined;
  readonly deadlineMs?: number;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Takes fields from other managers. Default false: a conflict is an ApiError of kind `Conflict`. */
  readonly force?: boolean;
  readonly subresource?: 'status';
  readonly dryRun?: boolean;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly subresource?: 'status';
  readonly dryRun?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Deletes only the object with this UID, never a namesake made since. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Default `Background`. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** A set of objects: a kind, in one namespace or everywhere, narrowed by selectors. */
export interface Scope {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent or '': everywhere. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends CallOptions {
  /** `0` (default): any version that the server has in memory. '' asks etcd. */
  readonly resourceVersion?: string;
  /** Objects per page. Default 500. */
  readonly limit?: number;
}

/** One page of a list; the last has no `continueToken`. */
export interface ListPage {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
}

/** A whole list. */
export interface ObjectList {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly resourceVersion?: string;
  /** Server ends the watch after this many seconds. */
  readonly timeoutSeconds: number;
  /** Stream the whole set first, then a bookmark that says so (WatchList). */
  readonly sendInitialEvents?: boolean;
  /** The watch fails with kind `Timeout` when no byte arrived for this long. */
  readonly livenessMs: number;
}

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubernetesObject }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** The bookmark that ends the initial events of a WatchList. */
      readonly initialEventsEnd: boolean;
    };
