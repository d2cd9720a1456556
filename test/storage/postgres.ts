/*
 * A real PostgreSQL server on a free loopback port, from the distribution's package. It refuses to run as root, so it
 * runs as `nobody` then, on a copy of the package (hard links) that this user can reach.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { debianTree } from '../debian/packages.js';
import { aServerCertificate } from './certificates.js';
import { freePort } from '../free-ports.js';
import { ServerProcess } from './server-process.js';

const VERSION = '15';
/** `nobody` and `nogroup` of Debian (base-passwd). */
const NOBODY = { uid: 65_534, gid: 65_534 };
const SUPERUSER = 'postgres';

/** A database with the two roles of an installation, and the files that the gateway reads. */
export interface TestDatabase {
  readonly name: string;
  readonly owner: string;
  readonly runtime: string;
  readonly settings: {
    readonly storage: { readonly type: 'PostgreSQL'; readonly uriFile: string };
  };
  readonly migrationUriFile: string;
  /** Connection URI of one of its roles. */
  uri(role: string): string;
  /** Runs SQL as the superuser in this database. */
  admin(text: string): Promise<pg.QueryResult>;
}

/** A running server. */
export class PostgresServer {
  #server: ServerProcess | undefined;
  #mounted: string | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly caFile: string | undefined,
    private readonly run: { readonly programs: Programs; readonly durable: boolean },
  ) {}

  /**
   * Starts a server. With `tls` it has a certificate of its own, and refuses connections without. Only a `durable` one
   * waits for its disk; what it has acknowledged survives its processes in any case.
   */
  static async start({ tls = false, durable = false } = {}): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'));
    await chmod(folder, 0o755);
    const programs = programsIn(folder);
    const data = join(folder, 'data');
    await mkdir(data, { mode: 0o700 });
    await giveAway(data);
    await writeFile(join(folder, 'password'), PASSWORD, { mode: 0o644 });
    const options = ['--auth=scram-sha-256', `--pwfile=${join(folder, 'password')}`, '--no-sync'];
    programs.run('initdb', ['-D', data, '-U', SUPERUSER, '-E', 'UTF8', '--locale=C', ...options]);
    const caFile = tls ? await secure(folder, data) : undefined;
    const server = new PostgresServer(folder, await freePort(), caFile, { programs, durable });
    await server.restart();
    return server;
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** Starts the server again at the same port after `kill`, or ends it first. */
  async restart(): Promise<void> {
    await this.kill();
    const settings = [
      ...['-c', 'listen_addresses=127.0.0.1,127.0.0.2', '-c', `port=${this.port}`],
      ...['-c', 'unix_socket_directories=', '-c', 'shared_buffers=16MB'],
      ...['-c', 'max_connections=60', '-c', `fsync=${this.run.durable ? 'on' : 'off'}`],
    ];
    this.#server = await ServerProcess.start(
      this.run.programs.program('postgres', ['-D', join(this.folder, 'data'), ...settings]),
      () => this.#answers(),
    );
  }

  /** SIGKILL to all of its processes, as a node that fails. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#server?.stop('SIGKILL');
  }

  /** It is there and answers nothing (SIGSTOP to all of its processes). */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /** A tablespace of `mebibytes` on a file system of its own, which fills up; gives its folder. Needs root. */
  async smallTablespace(name: string, mebibytes: number): Promise<string> {
    const path = join(this.folder, 'small');
    await mkdir(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path]);
    this.#mounted = path;
    await giveAway(path);
    await this.admin(SUPERUSER, `create tablespace ${name} location '${path}'`);
    return path;
  }

  /** A new database with an owner and a runtime role; its name begins with `store_`. */
  async createDatabase({ tablespace = 'pg_default', oneRole = false } = {}): Promise<TestDatabase> {
    const name = `store_${randomBytes(6).toString('hex')}`;
    const owner = `${name}_owner`;
    const runtime = oneRole ? owner : `${name}_app`;
    for (const role of new Set([owner, runtime]))
      await this.admin(SUPERUSER, `create role ${role} login password '${PASSWORD}'`);
    await this.admin(
      SUPERUSER,
      `create database ${name} owner ${owner} tablespace ${tablespace} template template0`,
    );
    const uri = (role: string) => `postgresql://${role}:${PASSWORD}@127.0.0.1:${this.port}/${name}`;
    const folder = join(this.folder, name, 'runtime');
    await mkdir(folder, { recursive: true });
    const [uriFile, migrationUriFile] = [join(folder, 'uri'), join(this.folder, name, 'owner-uri')];
    await writeFile(uriFile, `${uri(runtime)}\n`, { mode: 0o600 });
    await writeFile(migrationUriFile, `${uri(owner)}\n`, { mode: 0o600 });
    const caFile = this.caFile === undefined ? {} : { caFile: this.caFile };
    const storage = { type: 'PostgreSQL', uriFile, ...caFile } as const;
    const admin = (text: string) => this.admin(name, text);
    return { ...{ name, owner, runtime, settings: { storage }, migrationUriFile }, uri, admin };
  }

  /** Runs SQL as the superuser in `database`. */
  async admin(database: string, text: string): Promise<pg.QueryResult> {
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port: this.port, database, user: SUPERUSER, password: PASSWORD },
      ssl: this.caFile === undefined ? false : { ca: readFileSync(this.caFile, 'utf8') },
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  }

  /** Ends all processes and removes all files. */
  async stop(): Promise<void> {
    this.resume();
    // SIGINT ends it without waiting for clients (PostgreSQL 15, 19.5).
    await this.#server?.stop('SIGINT');
    if (this.#mounted !== undefined) execFileSync('umount', [this.#mounted]);
    await rm(this.folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    return this.admin(SUPERUSER, 'select 1').then(
      () => true,
      () => false,
    );
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#server === undefined || this.#server.hasEnded) return;
    // The parent first: it starts no further children then.
    const { pid } = this.#server;
    this.#server.signal(signal);
    for (const child of childrenOf(pid)) sendTo(child, signal);
  }
}

/** Long and without characters that a URI would escape. */
const PASSWORD = randomBytes(24).toString('hex');

interface Programs {
  run(name: string, args: readonly string[]): void;
  program(name: string, args: readonly string[]): Parameters<typeof ServerProcess.start>[0];
}

/** The programs of the package in a place that everybody can reach. */
function programsIn(folder: string): Programs {
  const { root, env } = debianTree([`postgresql-${VERSION}`]);
  const copy = join(folder, 'package');
  try {
    execFileSync('cp', ['-al', root, copy], { stdio: 'pipe' });
  } catch {
    // Another file system takes no hard links of this one.
    execFileSync('cp', ['-a', root, copy]);
  }
  const own = { ...env, LD_LIBRARY_PATH: (env['LD_LIBRARY_PATH'] ?? '').replace(root, copy) };
  const user = process.getuid?.() === 0 ? { user: NOBODY } : {};
  const file = (name: string) => join(copy, 'usr/lib/postgresql', VERSION, 'bin', name);
  return {
    run: (name, args) =>
      execFileSync(file(name), args, { ...user.user, env: own, cwd: '/', stdio: 'pipe' }),
    program: (name, args) => ({ file: file(name), args, env: own, ...user }),
  };
}

async function giveAway(path: string): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, NOBODY.uid, NOBODY.gid);
}

/** Certificate and key for the server; gives the file that clients verify it with. */
async function secure(folder: string, data: string): Promise<string> {
  const { certificate, key } = await aServerCertificate();
  const [caFile, keyFile] = [join(folder, 'ca.crt'), join(data, 'server.key')];
  await writeFile(caFile, certificate);
  await writeFile(join(data, 'server.crt'), certificate);
  await writeFile(keyFile, key, { mode: 0o600 });
  for (const file of [keyFile, join(data, 'server.crt')]) await giveAway(file);
  await writeFile(join(data, 'postgresql.auto.conf'), 'ssl = on\n');
  await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.0/8 scram-sha-256\n');
  return caFile;
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold spaces; state and parent follow it (proc_pid_stat(5)).
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
