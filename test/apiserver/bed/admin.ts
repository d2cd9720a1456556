import { readFile } from 'node:fs/promises';
import { loadAll } from 'js-yaml';
import { Agent, request } from 'undici';

/** JSON as the API server answers it; tests look into it freely. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any object of any API, read by assertions
export type Json = any;

/** An object with the fields that every Kubernetes object has. */
export interface AnyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: Json;
}

/** An answer of the API server, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed body, or the text of a body that is not JSON. */
  readonly body: Json;
}

/** Who makes a call, and how the body is meant. */
export interface CallOptions {
  /** The user; `admin` unless told. */
  readonly user?: string;
  /** `application/json` unless told. */
  readonly contentType?: string;
}

/** How objects are applied. */
export interface ApplyOptions extends CallOptions {
  /** The namespace of objects that name none; `default` unless told. */
  readonly namespace?: string;
  /** `test-bed` unless told. */
  readonly fieldManager?: string;
  /** True unless told: takes over the fields of others. */
  readonly force?: boolean;
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** A call that the API server refused. `status` is the HTTP status, `reason` that of the Status object. */
export class RefusedCall extends Error {
  readonly status: number;
  readonly reason: string | undefined;

  constructor(
    call: string,
    readonly answer: Answer,
  ) {
    const message: unknown = answer.body?.message ?? answer.body;
    super(`${call}: ${answer.status} ${String(message)}`);
    this.status = answer.status;
    this.reason = answer.body?.reason as string | undefined;
  }
}

/** Plain calls to a test server, as any of its users. It knows nothing of the code under test. */
export class Admin {
  private readonly agent: Agent;
  private readonly resources = new Map<string, readonly Resource[]>();

  constructor(
    private readonly url: string,
    ca: string,
    private readonly tokenOf: (user: string) => string,
  ) {
    this.agent = new Agent({
      connections: 64,
      connect: { ca, timeout: 5_000 },
      keepAliveTimeout: 30_000,
      headersTimeout: 60_000,
    });
  }

  /** One call. Never throws on a status: the test decides what it means. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    options: CallOptions = {},
  ): Promise<Answer> {
    const answer = await request(this.url + path, {
      dispatcher: this.agent,
      method: method,
      headers: {
        authorization: `Bearer ${this.tokenOf(options.user ?? 'admin')}`,
        accept: 'application/json',
        'user-agent': 'test-bed',
        ...(body === undefined
          ? {}
          : { 'content-type': options.contentType ?? 'application/json' }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, body: parse(text) };
  }

  /** One call that must succeed; gives the body. @throws RefusedCall */
  async call(
    method: string,
    path: string,
    body?: unknown,
    options: CallOptions = {},
  ): Promise<Json> {
    const answer = await this.request(method, path, body, options);
    if (answer.status >= 400) throw new RefusedCall(`${method} ${path}`, answer);
    return answer.body;
  }

  /** The object at `path`, or undefined when there is none. @throws RefusedCall */
  async get(path: string, options: CallOptions = {}): Promise<Json> {
    const answer = await this.request('GET', path, undefined, options);
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw new RefusedCall(`GET ${path}`, answer);
    return answer.body;
  }

  /** The path of one object, by the discovery of its API group. */
  async pathOf(object: AnyObject, namespace = 'default'): Promise<string> {
    const { metadata } = object;
    const resource = await this.resourceOf(object.apiVersion, object.kind);
    const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : '';
    return `${rootOf(object.apiVersion)}${scope}/${resource.name}/${metadata.name}`;
  }

  /** Server-side apply of one object; gives the object as stored. @throws RefusedCall */
  async apply(object: AnyObject, options: ApplyOptions = {}): Promise<Json> {
    const path = await this.pathOf(object, options.namespace);
    const query = `fieldManager=${options.fieldManager ?? 'test-bed'}&force=${options.force ?? true}`;
    const contentType = 'application/apply-patch+yaml';
    return this.call('PATCH', `${path}?${query}`, object, {
      ...options,
      contentType,
    });
  }

  /** Server-side apply of every document of a YAML text, in its order. @throws RefusedCall */
  async applyYaml(text: string, options: ApplyOptions = {}): Promise<Json[]> {
    const applied: Json[] = [];
    for (const document of loadAll(text)) {
      if (document !== null && document !== undefined) {
        applied.push(await this.apply(document as AnyObject, options));
      }
    }
    return applied;
  }

  /** Server-side apply of every document of a YAML file. @throws RefusedCall */
  async applyFile(file: string | URL, options: ApplyOptions = {}): Promise<Json[]> {
    return this.applyYaml(await readFile(file, 'utf8'), options);
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async resourceOf(apiVersion: string, kind: string): Promise<Resource> {
    const known = this.resources.get(apiVersion)?.find((resource) => resource.kind === kind);
    if (known) return known;
    const list = (await this.get(rootOf(apiVersion))) as { resources: Resource[] } | undefined;
    const resources = (list?.resources ?? []).filter((resource) => !resource.name.includes('/'));
    this.resources.set(apiVersion, resources);
    const found = resources.find((resource) => resource.kind === kind);
    if (found) return found;
    throw new Error(`The API server knows no ${kind} in ${apiVersion}. Are the CRDs installed?`);
  }
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
