/*
 * Three replicas of one gateway as processes, on one PostgreSQL database and one NATS server, with a Service before them
 * as Kubernetes has it: one address for endpoints, one for relays. Programs are bundled once, as they are shipped.
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundle } from '../../config/tooling/bundler.js';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { createColumnKeys } from '../../src/gateway/storage/column-keys.file.js';
import { runMigrations } from '../../src/gateway/storage/postgres.database.js';
import type { ToEndpoint } from '../../src/messages/signaling.js';
import { systemClock } from '../../src/runtime/system.clock.js';
import type { Account } from '../identities.js';
import { bundleOf, MEMBER, POLICY_KEY } from '../processes/client-bed.js';
import { TestEndpoint, type GatewayPlace } from '../processes/gateway-endpoint.js';
import { GatewayFolder, GatewayProcess, localSettings } from '../processes/gateway-process.js';
import { until } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';
import { PostgresServer, type TestDatabase } from './postgres.js';
import { freePort } from '../free-ports.js';
import { random } from './store-bed.js';
import { TcpService } from './tcp-service.js';

const ROOT = join(import.meta.dirname, '../..');
const REPLICAS = [0, 1, 2];
const PROGRAMS = {
  gateway: 'src/bin/gateway.ts',
  relay: 'src/bin/relay.ts',
  'packet.worker': 'src/relay/packet/packet.worker.ts',
  'fallback.worker': 'src/relay/shell/fallback.worker.ts',
};

/** Changes the settings of all replicas. */
export type SettingsChange = (settings: GatewaySettings) => GatewaySettings;

interface Around {
  readonly programs: string;
  readonly folder: GatewayFolder;
  readonly postgres: PostgresServer;
  readonly database: TestDatabase;
  readonly nats: NatsServer;
}

interface Replica {
  readonly settings: GatewaySettings;
  readonly settingsPath: string;
  process: GatewayProcess | undefined;
}

/** Replicas and everything that they stand on. */
export class GatewayBed {
  private constructor(
    private readonly around: Around,
    private readonly replicas: readonly Replica[],
    /** Where endpoints find the gateway. */
    readonly service: TcpService,
    /** Where relays find it. */
    readonly registry: TcpService,
  ) {}

  /** Three replicas that hear each other. */
  static async start(change: SettingsChange = (same) => same): Promise<GatewayBed> {
    const around = await startAround();
    const replicas: Replica[] = [];
    for (const at of REPLICAS) replicas.push(await prepare(around, at, change));
    const portsOf = (listener: 'public' | 'internal') =>
      replicas.map(({ settings }) => settings.listeners[listener].port);
    const service = await TcpService.start(portsOf('public'));
    const registry = await TcpService.start(portsOf('internal'));
    const bed = new GatewayBed(around, replicas, service, registry);
    try {
      await Promise.all(REPLICAS.map((at) => bed.startReplica(at)));
      await bed.joined();
    } catch (error) {
      await bed.stop();
      throw error;
    }
    return bed;
  }

  get folder(): GatewayFolder {
    return this.around.folder;
  }

  get nats(): NatsServer {
    return this.around.nats;
  }

  get postgres(): PostgresServer {
    return this.around.postgres;
  }

  get database(): TestDatabase {
    return this.around.database;
  }

  /** How a program of the bundle is started. */
  program(name: 'relay'): readonly string[] {
    return [join(this.around.programs, `${name}.js`)];
  }

  /** The process of a replica. @throws Error while it is not running */
  replica(at: number): GatewayProcess {
    const { process } = this.#at(at);
    if (process === undefined) throw new Error(`replica ${at} is not running`);
    return process;
  }

  /** Starts one, at the ports that it always has; it is ready then. */
  async startReplica(at: number): Promise<void> {
    const replica = this.#at(at);
    replica.process = GatewayProcess.run(replica, {
      args: ['--pod', `main-gateway-${at}`],
      program: [join(this.around.programs, 'gateway.js')],
    });
    await replica.process.answers(200, /^ready/);
  }

  /** SIGKILL. */
  async killReplica(at: number): Promise<void> {
    await this.replica(at).kill();
    this.#at(at).process = undefined;
  }

  /** SIGTERM, as at a rolling restart: it says goodbye and ends. */
  async endReplica(at: number): Promise<void> {
    this.replica(at).child.kill('SIGTERM');
    await this.replica(at).ended;
    this.#at(at).process = undefined;
  }

  /** Waits until the replicas that run hear each other. */
  async joined(): Promise<void> {
    const running = this.#running;
    for (const process of running)
      await until(
        'a replica hears the others',
        async () => (await process.metric('sallyport_bus_replicas')) === running.length,
      );
  }

  /** One replica itself, past the Service. */
  place(at: number): GatewayPlace {
    return { port: this.#at(at).settings.listeners.public.port, ca: this.#ca };
  }

  /** Logs in at one replica. */
  login(account: Account, at: number): Promise<TestEndpoint> {
    return TestEndpoint.login(this.place(at), account);
  }

  /** The sum of a series over the replicas that run. */
  async sum(series: string): Promise<number> {
    const values = this.#running.map((process) => process.metric(series));
    return (await Promise.all(values)).reduce<number>((sum, value) => sum + (value ?? 0), 0);
  }

  /** URL and pin of the gateway, as an endpoint is told. */
  async entry(): Promise<{ readonly url: string; readonly pins: readonly string[] }> {
    const pem = await readFile(join(this.folder.path, 'tls/tls.crt'), 'utf8');
    const pins = [pinOfCertificate(new X509Certificate(pem))];
    return { url: `wss://localhost:${this.service.port}`, pins };
  }

  /** Ends everything and removes all files. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((process) => process.kill()));
    const { postgres, nats, folder, programs } = this.around;
    await Promise.all([this.service.stop(), this.registry.stop(), nats.stop(), postgres.stop()]);
    await folder.remove();
    await rm(programs, { recursive: true, force: true });
  }

  get #running(): readonly GatewayProcess[] {
    return this.replicas.flatMap(({ process }) => process ?? []);
  }

  get #ca(): string {
    return this.folder.authority.certificate;
  }

  #at(at: number): Replica {
    const replica = this.replicas[at];
    if (replica === undefined) throw new RangeError(`there is no replica ${at}`);
    return replica;
  }
}

async function startAround(): Promise<Around> {
  await mkdir(join(ROOT, 'dist'), { recursive: true });
  const programs = await mkdtemp(join(ROOT, 'dist', 'replicas-of-test-'));
  await bundle(PROGRAMS, programs);
  const [postgres, nats] = [await PostgresServer.start(), await startNats({ secured: true })];
  const database = await postgres.createDatabase();
  await runMigrations(database.settings, database.migrationUriFile, { clock: systemClock });
  const { uriFile } = database.settings.storage;
  const keys = join(dirname(dirname(uriFile)), 'column-keys');
  await mkdir(keys);
  await createColumnKeys(join(keys, 'keys.json'), random);
  const folder = await GatewayFolder.make();
  await folder.mount('policy', { 'bundle.json': bundleOf([MEMBER]) });
  return { programs, folder, postgres, database, nats };
}

async function prepare(
  { folder, database, nats }: Around,
  at: number,
  change: SettingsChange,
): Promise<Replica> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const key = POLICY_KEY.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const local = localSettings(folder.path, ports);
  const { caFile, credentialsFile } = nats;
  if (caFile === undefined || credentialsFile === undefined) throw new Error('NATS without TLS');
  const credentials = { caFile, credentialsFile };
  const settings = change({
    ...local,
    policy: { ...local.policy, publicKeys: [key.toString('base64url')] },
    storage: database.settings.storage,
    bus: { ...credentials, type: 'NATS', servers: [nats.url] },
  });
  const volume = `settings-${at}`;
  await folder.mount(volume, { 'settings.json': JSON.stringify(settings) });
  const settingsPath = join(folder.path, volume, 'settings.json');
  return { settings, settingsPath, process: undefined };
}

/** What a request was answered with. @throws Error when it was refused */
export function bodyOf(answer: ToEndpoint): Record<string, unknown> {
  if (answer.type !== 'answer' || !('body' in answer)) throw new Error(JSON.stringify(answer));
  return answer.body;
}
