import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOW_TO_GET_BINARIES, findTestBed } from '../../testbed/build.js';
import { Admin } from './admin.js';
import type { AnyObject, Answer, ApplyOptions, CallOptions, Json } from './admin.js';
import { AuditLog } from './audit-log.js';
import type { AuditEntry, Calls } from './audit-log.js';
import { recordCalls } from './recorded-calls.js';
import { createTestCa, serviceAccountKeys } from './certificates.js';
import type { Leaf, TestCa } from './certificates.js';
import { apiServerArgs, controllerManagerArgs, etcdArgs } from './command-lines.js';
import { eventually } from './eventually.js';
import { freePorts } from '../../free-ports.js';
import { Programs } from './programs.js';

/** The users of every test server with their groups. All but `admin` may do nothing until RBAC is applied. */
const USERS: Readonly<Record<string, readonly string[]>> = {
  admin: ['system:masters'],
  operator: [],
  'operator-b': [],
  'platform-engineer': [],
  stranger: [],
  autoscaler: [],
  'foreign-controller': [],
  'system:kube-controller-manager': ['system:masters'],
};

const CRDS = fileURLToPath(new URL('../../../crds', import.meta.url));

/** How a test server is started. Everything is optional. */
export interface TestApiServerOptions {
  /** Runs kube-controller-manager: garbage collection, namespaces that vanish, Deployment status. */
  readonly controllerManager?: boolean;
  /** Its controllers; the defaults are in command-lines.ts. */
  readonly controllers?: readonly string[];
  /** Applies crds/*.yaml before the server is handed over. With a controller manager: before that starts. */
  readonly crds?: boolean;
  /** Further users with their groups. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  /**
   * Feature gates that differ from the release's defaults. None by default: the server is what a cluster
   * of that release runs, so WatchList is on (beta and on by default in 1.36).
   */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** Further arguments of kube-apiserver. */
  readonly args?: readonly string[];
}

/**
 * Starts etcd and kube-apiserver (and kube-controller-manager) on free loopback ports, with a CA, users
 * and an audit log of their own. Ready in about 3 seconds. They die with the test process at the latest.
 */
export async function startApiServer(options: TestApiServerOptions = {}): Promise<TestApiServer> {
  const binaries = findTestBed();
  if (!binaries)
    throw new Error(`${HOW_TO_GET_BINARIES} "node test/testbed/build.js" builds them now.`);
  for (let attempt = 1; ; attempt++) {
    const server = await TestApiServer.prepare(binaries, options);
    try {
      await server.run();
      return server;
    } catch (error) {
      const lostPort = server.logs().includes('address already in use');
      await server.stop();
      // A free port is found by asking for one and giving it back, so another process may take it first.
      if (!lostPort || attempt === 3) throw error;
    }
  }
}

interface Parts {
  readonly options: TestApiServerOptions;
  readonly binaries: string;
  readonly folder: string;
  readonly ports: { readonly etcd: number; readonly apiServer: number };
  readonly authority: TestCa;
  readonly tokens: ReadonlyMap<string, string>;
}

/** A real API server that belongs to one test file. */
export class TestApiServer {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** PEM of the certificate authority. */
  readonly ca: string;
  /** Removed by `stop()`: a place for files of this test. */
  readonly folder: string;
  /** Plain calls to this server. */
  readonly admin: Admin;
  private readonly audit: AuditLog;
  private readonly programs: Programs;

  private constructor(private readonly parts: Parts) {
    this.url = `https://127.0.0.1:${parts.ports.apiServer}`;
    this.ca = parts.authority.ca;
    this.folder = parts.folder;
    this.admin = new Admin(this.url, this.ca, (user) => this.tokenOf(user));
    this.programs = new Programs(parts.folder);
    this.audit = new AuditLog(join(parts.folder, 'audit.jsonl'), async (path) => {
      await this.admin.call('GET', path);
    });
  }

  /** Makes the files of a server that is not started yet. */
  static async prepare(binaries: string, options: TestApiServerOptions): Promise<TestApiServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-bed-'));
    const [etcd, apiServer] = (await freePorts(2)) as [number, number];
    const authority = await createTestCa(new Date());
    const users = Object.entries({ ...USERS, ...options.users });
    const tokens = new Map(users.map(([user]) => [user, randomBytes(24).toString('base64url')]));
    const lines = users.map(([user, groups]) =>
      [tokens.get(user), user, `uid-${user}`, `"${groups.join(',')}"`].join(','),
    );
    const leaf = await authority.issue('kube-apiserver');
    const accounts = serviceAccountKeys();
    const files = {
      'tokens.csv': lines.join('\n'),
      'ca.crt': authority.ca,
      'server.crt': leaf.cert,
      'server.key': leaf.key,
      'accounts.pub': accounts.publicKey,
      'accounts.key': accounts.privateKey,
      'audit-policy.json': JSON.stringify({
        apiVersion: 'audit.k8s.io/v1',
        kind: 'Policy',
        omitStages: ['RequestReceived'],
        rules: [{ level: 'Metadata' }],
      }),
    };
    await Promise.all(
      Object.entries(files).map(([name, content]) =>
        writeFile(join(folder, name), content, { mode: 0o600 }),
      ),
    );
    return new TestApiServer({
      options,
      binaries,
      folder,
      ports: { etcd, apiServer },
      authority,
      tokens,
    });
  }

  /** Starts the programs and waits until they serve. `startApiServer` calls it. */
  async run(): Promise<void> {
    const { binaries, folder, ports } = this.parts;
    const command = join(binaries, 'etcd');
    await this.programs.start({ name: 'etcd', command, args: etcdArgs(folder, ports.etcd) });
    await this.startKubeApiServer();
    if (this.parts.options.crds) await this.installCrds();
    if (this.parts.options.controllerManager) await this.startControllerManager();
  }

  /** Starts kube-apiserver, again if it was killed, and waits until it is ready. */
  async startKubeApiServer(): Promise<void> {
    const { binaries, folder, ports, options } = this.parts;
    const name = 'kube-apiserver';
    const args = apiServerArgs({ folder, etcdPort: ports.etcd, port: ports.apiServer, options });
    await this.programs.start({ name, command: join(binaries, name), args });
    await this.ready(name, async () => {
      if ((await this.admin.request('GET', '/readyz')).status !== 200) return false;
      return this.admin.get('/api/v1/namespaces/default');
    });
  }

  /** Starts kube-controller-manager. Install CRDs before: it looks for new kinds every 30 seconds only. */
  async startControllerManager(): Promise<void> {
    const { binaries, folder, options } = this.parts;
    const name = 'kube-controller-manager';
    const kubeconfig = await this.kubeconfigOf('system:kube-controller-manager');
    const args = controllerManagerArgs(folder, kubeconfig, options.controllers);
    await this.programs.start({ name, command: join(binaries, name), args });
    // Its service account controller has written this one when it works.
    await this.ready(name, () =>
      this.admin.get('/api/v1/namespaces/default/serviceaccounts/default'),
    );
  }

  /** Kills kube-apiserver at once, as a crashed node does; `startKubeApiServer` brings it back. */
  async killKubeApiServer(): Promise<void> {
    await this.programs.kill('kube-apiserver');
  }

  /** Stops kube-apiserver's threads: connections stay open and nothing answers, until `thaw`. */
  async freeze(): Promise<void> {
    await this.programs.freeze('kube-apiserver');
  }

  /** Ends `freeze`. */
  thaw(): void {
    this.programs.thaw('kube-apiserver');
  }

  /** The bearer token of a user. @throws Error for a user that this server does not have */
  tokenOf(user: string): string {
    const token = this.parts.tokens.get(user);
    if (token === undefined)
      throw new Error(`The test server has no user ${user}: name it in options.users.`);
    return token;
  }

  /** A new kubeconfig file of `user`. `server` is another address of the same server, such as a fault proxy. */
  async kubeconfigOf(user: string, server = this.url): Promise<string> {
    const file = join(this.folder, `kubeconfig-${randomBytes(6).toString('hex')}`);
    const certificate = Buffer.from(this.ca).toString('base64');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': certificate } }],
      users: [{ name: user, user: { token: this.tokenOf(user) } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    };
    await writeFile(file, JSON.stringify(config));
    await chmod(file, 0o600);
    return file;
  }

  /** A new kubeconfig file of the user who may do everything. */
  adminKubeconfig(): Promise<string> {
    return this.kubeconfigOf('admin');
  }

  /** A certificate of the test CA for another server on 127.0.0.1. */
  issueCertificate(commonName: string): Promise<Leaf> {
    return this.parts.authority.issue(commonName);
  }

  /** One call, `admin`'s unless told. Never throws on a status. */
  request(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer> {
    return this.admin.request(method, path, body, options);
  }

  /** Server-side apply of one object. @throws RefusedCall */
  apply(object: AnyObject, options?: ApplyOptions): Promise<Json> {
    return this.admin.apply(object, options);
  }

  /** Server-side apply of every document of a YAML text. @throws RefusedCall */
  applyYaml(text: string, options?: ApplyOptions): Promise<Json[]> {
    return this.admin.applyYaml(text, options);
  }

  /** Server-side apply of every document of a YAML file. @throws RefusedCall */
  applyFile(file: string | URL, options?: ApplyOptions): Promise<Json[]> {
    return this.admin.applyFile(file, options);
  }

  /** A new namespace; gives its name. @throws RefusedCall */
  async createNamespace(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    await this.admin.call('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels },
    });
    return name;
  }

  /** Applies crds/*.yaml and waits until the API server serves every version of them. */
  async installCrds(folder = CRDS): Promise<void> {
    const files = existsSync(folder)
      ? (await readdir(folder)).filter((file) => file.endsWith('.yaml'))
      : [];
    if (files.length === 0) throw new Error(`There is no CRD in ${folder}.`);
    const applied = await Promise.all(files.map((file) => this.applyFile(join(folder, file))));
    for (const crd of applied.flat() as AnyObject[]) await this.established(crd);
  }

  private async established(crd: AnyObject): Promise<void> {
    const path = await this.admin.pathOf(crd);
    const isTrue = (conditions: Json[] | undefined): boolean =>
      conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
    await eventually(`${crd.metadata.name} is established`, async () =>
      isTrue((await this.admin.get(path))?.status?.conditions as Json[] | undefined),
    );
    const { group, names, versions } = crd.spec as { group: string; names: Json; versions: Json[] };
    for (const { name } of versions.filter(({ served }) => served)) {
      const list = `/apis/${group}/${String(name)}/${String(names.plural)}?limit=1`;
      await eventually(`${list} is served`, () => this.admin.get(list));
    }
  }

  /** What `user` asked of the API server: everything, or what came after a mark. */
  callsOf(user: string, { since }: { since?: number } = {}): Promise<Calls> {
    return this.audit.callsOf(user, since);
  }

  /** A moment of the audit log, for `callsOf(user, { since })`. */
  auditMark(): Promise<number> {
    return this.audit.mark();
  }

  /** Every call of every user, as the audit log has it. */
  auditEntries({ since }: { since?: number } = {}): Promise<AuditEntry[]> {
    return this.audit.entries(since);
  }

  /** The process ids of what runs. */
  pids(): Readonly<Record<string, number | undefined>> {
    const names = ['etcd', 'kube-apiserver', 'kube-controller-manager'];
    return Object.fromEntries(names.map((name) => [name, this.programs.pidOf(name)]));
  }

  /** What the programs logged last, to show in a failure. */
  logs(): string {
    return this.programs.tails();
  }

  /**
   * Kills the programs and removes their folder. In a test run, first adds what users named `operator...`
   * asked for to test-results/calls, for the test that compares it with the RBAC rules.
   */
  async stop(): Promise<void> {
    try {
      await this.admin.close();
      if (process.env['JEST_WORKER_ID']) await recordCalls(await this.audit.written());
    } finally {
      await this.programs.stop();
    }
  }

  private async ready(name: string, look: () => Promise<unknown>): Promise<void> {
    const begin = performance.now();
    const up = async (): Promise<boolean> => {
      try {
        return Boolean(await look());
      } catch {
        return false; // Not listening yet.
      }
    };
    while (!(await up())) {
      if (this.programs.exitOf(name) ?? performance.now() - begin > 60_000)
        throw this.programs.failure(name);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
