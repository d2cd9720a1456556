import { isApiError } from './api-error.js';
import type {
  ApplyOptions,
  CallOptions,
  ClientConfig,
  ClientOptions,
  DeleteOptions,
  ListOptions,
  ListPage,
  ObjectList,
  Scope,
  Verb,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client-types.js';
import { Exchange, type ApiRequest } from './exchange.client.js';
import { hostAndPort } from './kubeconfig.js';
import { refOf, type KubernetesObject, type ObjectRef } from './object.js';
import { ResourceTable, groupVersionPath } from './resources.js';
import { watchEvents } from './watch.client.js';

/** client-go's page size: a page is a few megabytes at most, so that parsing one never stalls the process. */
const PAGE_OBJECTS = 500;

interface RawList {
  readonly items?: readonly KubernetesObject[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

/**
 * The API server as raw JSON: what it sends is what callers get, what callers give is what it gets, fields
 * that no type here knows included. Every method throws ApiError.
 */
export class ClusterClient {
  /** Host and port of the API server, for logs; never credentials. */
  readonly server: string;
  readonly #exchange: Exchange;
  readonly #table: ResourceTable;

  constructor(config: ClientConfig, options: ClientOptions = {}) {
    this.server = hostAndPort(config.server);
    this.#exchange = new Exchange(config, options);
    this.#table = new ResourceTable(options.kinds);
  }

  /** One object. @throws ApiError of kind `NotFound`. */
  async get(ref: ObjectRef, options: CallOptions = {}): Promise<KubernetesObject> {
    const request = this.#request('get', ref, { method: 'GET', path: this.#table.pathOf(ref) });
    return (await this.#exchange.json(request, options)) as KubernetesObject;
  }

  /** One object, or undefined when it does not exist. */
  async find(ref: ObjectRef, options: CallOptions = {}): Promise<KubernetesObject | undefined> {
    try {
      return await this.get(ref, options);
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /**
   * All objects of a scope. When the server forgets the list between two pages (410), it is asked once more,
   * without pages, as client-go does: a large list that changes fast would never end otherwise.
   */
  async list(scope: Scope, options: ListOptions = {}): Promise<ObjectList> {
    const items: KubernetesObject[] = [];
    let resourceVersion = '';
    try {
      for await (const page of this.pages(scope, options)) {
        for (const item of page.items) items.push(item);
        resourceVersion = page.resourceVersion;
      }
    } catch (error) {
      if (!isApiError(error, 'Gone') || items.length === 0) throw error;
      const page = await this.#page(scope, { ...options, resourceVersion: '', limit: 0 });
      return { items: page.items, resourceVersion: page.resourceVersion };
    }
    return { items, resourceVersion };
  }

  /** The pages of a scope. A server that answers from memory (`resourceVersion=0`) may send all in one. */
  async *pages(scope: Scope, options: ListOptions = {}): AsyncGenerator<ListPage, void, void> {
    let next: string | undefined;
    do {
      const page: ListPage = await this.#page(scope, options, next);
      yield page;
      next = page.continueToken;
    } while (next !== undefined);
  }

  /** Events until the server ends the watch (return) or something fails (ApiError, BadWatchLine). */
  async *watch(scope: Scope, options: WatchOptions): AsyncGenerator<WatchEvent, void, void> {
    const initial = options.sendInitialEvents ?? false;
    const query = scopeQuery(scope, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(options.timeoutSeconds),
      ...(options.resourceVersion === undefined
        ? {}
        : { resourceVersion: options.resourceVersion }),
      ...(initial ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } : {}),
    });
    const request = this.#request('watch', scope, { method: 'GET', path: this.#in(scope) + query });
    yield* watchEvents(this.#exchange, request, options);
  }

  /** Server-side apply: creates the object or takes the fields that it has. */
  async apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject> {
    const ref = refOf(object);
    return this.#patch(ref, object, { ...options, contentType: 'application/apply-patch+yaml' });
  }

  /** RFC 7396: maps merge, lists are replaced, null removes. Guarded by `metadata.resourceVersion` when it is there. */
  async mergePatch(
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    return this.#patch(ref, patch, { ...options, contentType: 'application/merge-patch+json' });
  }

  /** POST. @throws ApiError of kind `AlreadyExists`. */
  async create(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    const ref = refOf(object);
    const request = this.#request('create', ref, {
      method: 'POST',
      path: this.#in(ref) + writeQuery(options),
      body: JSON.stringify(object),
      contentType: 'application/json',
    });
    return (await this.#exchange.json(request, options)) as KubernetesObject;
  }

  /** PUT of a whole object; guarded by its `metadata.resourceVersion`. @throws kind `Conflict`. */
  async replace(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    const ref = refOf(object);
    const request = this.#request('update', ref, {
      method: 'PUT',
      path: this.#table.pathOf(ref, options.subresource) + writeQuery(options),
      body: JSON.stringify(object),
      contentType: 'application/json',
      subresource: options.subresource,
    });
    return (await this.#exchange.json(request, options)) as KubernetesObject;
  }

  /** Whether there was something to delete. @throws kind `Conflict` when a precondition does not hold. */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion } = options;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    const request = this.#request('delete', ref, {
      method: 'DELETE',
      path: this.#table.pathOf(ref),
      body: JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: options.propagationPolicy ?? 'Background',
        ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
      }),
      contentType: 'application/json',
    });
    try {
      await this.#exchange.json(request, options);
      return true;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return false;
      throw error;
    }
  }

  /** Whether the server has this kind now (one call, nothing is remembered). */
  async serves(apiVersion: string, kind: string, options: CallOptions = {}): Promise<boolean> {
    try {
      const found = await this.readJson(groupVersionPath(apiVersion), options);
      const { resources } = found as { readonly resources?: readonly { readonly kind: string }[] };
      return resources?.some((resource) => resource.kind === kind) ?? false;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return false;
      throw error;
    }
  }

  /** GET of a path that is no object: `/version`, `/openapi/v3/...`, `/apis/...`. */
  async readJson(path: string, options: CallOptions = {}): Promise<unknown> {
    return this.#exchange.json({ verb: 'discovery', resource: '', method: 'GET', path }, options);
  }

  /** Ends every connection; running calls and watches fail. */
  async close(): Promise<void> {
    await this.#exchange.close();
  }

  async #patch(
    ref: ObjectRef,
    body: object,
    options: WriteOptions & { readonly force?: boolean; readonly contentType: string },
  ): Promise<KubernetesObject> {
    const { subresource, contentType, force } = options;
    const path = this.#table.pathOf(ref, subresource) + writeQuery(options, force);
    const http = { method: 'PATCH', path, body: JSON.stringify(body), contentType } as const;
    const request = this.#request('patch', ref, { ...http, subresource });
    return (await this.#exchange.json(request, options)) as KubernetesObject;
  }

  async #page(scope: Scope, options: ListOptions, continueToken?: string): Promise<ListPage> {
    const limit = options.limit ?? PAGE_OBJECTS;
    const version = options.resourceVersion ?? '0';
    const query = scopeQuery(scope, {
      ...(limit > 0 ? { limit: String(limit) } : {}),
      // A continue token names its own version; sending both is refused.
      ...(continueToken === undefined
        ? version === ''
          ? {}
          : { resourceVersion: version }
        : { continue: continueToken }),
    });
    const request = this.#request('list', scope, { method: 'GET', path: this.#in(scope) + query });
    return pageOf((await this.#exchange.json(request, options)) as RawList, scope);
  }

  #in({ apiVersion, kind, namespace }: Scope): string {
    return this.#table.collectionPath(apiVersion, kind, namespace);
  }

  #request(
    verb: Verb,
    of: { readonly apiVersion: string; readonly kind: string },
    http: Omit<ApiRequest, 'verb' | 'resource'> & { readonly subresource?: string | undefined },
  ): ApiRequest {
    const { plural } = this.#table.kindOf(of.apiVersion, of.kind);
    const { subresource, ...rest } = http;
    return {
      ...rest,
      verb,
      resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    };
  }
}

/** Items of a list do not repeat the kind that the list says; the cache wants whole objects. */
function pageOf(list: RawList, { apiVersion, kind }: Scope): ListPage {
  const items = (list.items ?? []).map((item) => ({ ...item, apiVersion, kind }));
  const next = list.metadata?.continue;
  return {
    items,
    resourceVersion: list.metadata?.resourceVersion ?? '',
    ...(next === undefined || next === '' ? {} : { continueToken: next }),
  };
}

function scopeQuery(scope: Scope, parameters: Readonly<Record<string, string>>): string {
  return queryOf({
    ...(scope.labelSelector === undefined ? {} : { labelSelector: scope.labelSelector }),
    ...(scope.fieldSelector === undefined ? {} : { fieldSelector: scope.fieldSelector }),
    ...parameters,
  });
}

function writeQuery({ fieldManager, dryRun }: WriteOptions, force = false): string {
  return queryOf({
    ...(force ? { force: 'true' } : {}),
    ...(fieldManager === undefined ? {} : { fieldManager }),
    ...(dryRun ? { dryRun: 'All' } : {}),
  });
}

function queryOf(parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters).toString();
  return query === '' ? '' : `?${query}`;
}
