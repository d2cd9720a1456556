import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { API_VERSION } from '../kubernetes/metadata.js';
import { refId, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.js';
import type { Reconciler } from '../kubernetes/reconciler.js';
import { OperatorModule } from '../operator/operator.module.js';
import { readOperatorSettings, type OperatorSettings } from '../operator/settings.js';
import { RECONCILERS } from '../operator/tokens.js';
import { ActionableError, messageOf } from '../runtime/errors.js';
import { systemClock } from '../runtime/system.clock.js';
import { InMemoryCluster } from '../standalone/in-memory-cluster.js';
import type { PodState } from '../standalone/pod.process.js';
import { PodsRunner } from '../standalone/pods.runner.js';
import { programsIn } from '../standalone/programs.files.js';
import { RoomsRunner } from '../standalone/rooms.runner.js';
import { StateFile } from '../standalone/state.files.js';
import { readCrdSchemas } from './crd.files.js';
import { FailureLog } from './failure-log.js';
import { readResourceFiles, type FileResource } from './resource.files.js';
import { localGateways, type LocalGateway } from './local-gateways.js';
import { changedPods, podLines } from './pod-table.js';
import {
  changedRows,
  isReady,
  isStalled,
  rowLine,
  rowOf,
  tableLines,
  type ResourceRow,
} from './resource-table.js';
import { Screen } from './terminal.screen.js';
import type { Report } from './terminal/report.js';

/** How often the table looks at the resources. */
const LOOK_EVERY_MS = 100;
/** Images that start, keys that spread, relays that register: what takes longer is stuck. */
const READY_WITHIN_MS = 60_000;

export interface UpOptions {
  readonly folders: readonly string[];
  readonly version: string;
  readonly report: Report;
  /** Where keys, data and logs are kept. */
  readonly state: string;
  /** Folder of the bundled programs. */
  readonly programs: string;
}

/** Resources from files, reconciled in memory; their pods are processes of this machine. */
export class Up {
  readonly #report: Report;
  readonly #cluster: InMemoryCluster;
  readonly #runner: RoomsRunner;
  readonly #pods: PodsRunner;
  readonly #kept: StateFile;
  readonly #failures: FailureLog;
  readonly #screen: Screen | undefined;
  #shown: readonly ResourceRow[] = [];
  #told: readonly PodState[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(report: Report, parts: Parts) {
    this.#report = report;
    this.#cluster = parts.cluster;
    this.#runner = parts.runner;
    this.#pods = parts.pods;
    this.#kept = parts.kept;
    this.#failures = parts.failures;
    this.#screen = report.screen && new Screen(report.screen);
  }

  /** Reads the files and what an earlier run kept, wires the rooms and starts them. @throws ActionableError for a file that cannot be used */
  static async start(options: UpOptions): Promise<Up> {
    const { folders, version, report } = options;
    if (options.state === '')
      throw new ActionableError(
        'ERR_ARGUMENT',
        'The state folder has no name.',
        'Write --state DIR.',
      );
    const resources = await admitted(await readResourceFiles(folders));
    const cluster = new InMemoryCluster({ newUid: randomUUID, now: () => systemClock.now() });
    const state = resolve(options.state);
    const failures = new FailureLog();
    const take = (): ReturnType<InMemoryCluster['kept']> => cluster.kept();
    const kept = new StateFile(state, take, (error) => {
      failures.error('what is made is not kept', { error: messageOf(error) });
    });
    cluster.restore(kept.read());
    for (const ref of gone(cluster.objects(), resources)) cluster.delete(ref);
    for (const resource of resources) put(cluster, resource);
    const pods = new PodsRunner({
      ...{ cluster, folder: state, log: failures },
      programOf: programsIn(resolve(options.programs)),
    });
    const runner = await rooms(cluster, version, failures);
    pods.start();
    runner.start(() => {
      kept.changed();
      pods.look();
    });
    return new Up(report, { cluster, runner, pods, kept, failures });
  }

  /** Shows the table until `hide` or `stop`: redrawn in a terminal, as lines of what changed elsewhere. */
  show(): void {
    this.#draw();
    this.#timer = setInterval(() => {
      this.#draw();
    }, LOOK_EVERY_MS);
  }

  /** Ends `show`; the last table stays. */
  hide(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw();
  }

  /**
   * Waits until every resource is ready; false when one is stalled, or it took too long. @throws ActionableError when
   * others hold a port that is needed; everything is stopped before
   */
  async ready(): Promise<boolean> {
    const until = systemClock.monotonicMs() + READY_WITHIN_MS;
    while (systemClock.monotonicMs() < until) {
      await this.#checkPorts();
      if (this.#runner.idle && this.#resources().every(isReady)) return true;
      if (this.#runner.idle && this.#resources().some(isStalled)) return false;
      await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
    }
    return false;
  }

  /** As `ready`, then prints the table once. */
  async once(): Promise<boolean> {
    const ready = await this.ready();
    if (this.#report.format === 'json') this.#tellChanges();
    else for (const line of [...this.#lines(0), ...this.#failures.lines()]) this.#report.note(line);
    return ready;
  }

  /** The gateways that run, with where to reach them and what their certificates are pinned to. */
  gateways(): readonly LocalGateway[] {
    return localGateways(this.#resources(), this.#pods.states);
  }

  /** The pods, as processes. */
  pods(): readonly PodState[] {
    return this.#pods.states;
  }

  /** Ends every process; what was made is kept. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#runner.stop();
    await this.#pods.stop();
    await this.#kept.flush();
  }

  async #checkPorts(): Promise<void> {
    const { blocked } = this.#pods;
    if (blocked === undefined) return;
    await this.stop();
    throw new ActionableError(
      'ERR_LISTEN',
      `${blocked.pod} needs ${blocked.port}, and another program holds it.`,
      'End that program ("ss -ltnup" shows it; another "npm start" needs the same ports), then start again.',
    );
  }

  #lines(width: number): readonly string[] {
    return [
      ...tableLines(this.#rows(), width),
      '',
      ...podLines(this.#pods.states).map((line) => (width > 0 ? line.slice(0, width) : line)),
    ];
  }

  #draw(): void {
    const { screen } = this.#report;
    if (screen === undefined) this.#tellChanges();
    else this.#screen?.draw([...this.#lines(screen.columns ?? 80), ...this.#failures.lines()]);
  }

  /** Where nothing can be redrawn: one line for each change, of processes only for programs that read it. */
  #tellChanges(): void {
    const report = this.#report;
    const rows = this.#rows();
    for (const row of changedRows(this.#shown, rows))
      report.event('resource', { ...row }, rowLine(row));
    this.#shown = rows;
    if (report.format === 'json') this.#tellProcesses();
    for (const problem of this.#failures.takeNew()) report.event('failure', { problem }, problem);
  }

  #tellProcesses(): void {
    const states = this.#pods.states;
    for (const state of changedPods(this.#told, states)) this.#report.event('process', state, '');
    this.#told = states;
  }

  #resources(): readonly KubernetesObject[] {
    return this.#cluster.objects().filter(({ apiVersion }) => apiVersion === API_VERSION);
  }

  #rows(): ResourceRow[] {
    return this.#resources().map((resource) =>
      rowOf(resource, this.#cluster.children(resource.metadata.uid ?? '').length),
    );
  }
}

interface Parts {
  readonly cluster: InMemoryCluster;
  readonly runner: RoomsRunner;
  readonly pods: PodsRunner;
  readonly kept: StateFile;
  readonly failures: FailureLog;
}

async function rooms(
  cluster: InMemoryCluster,
  version: string,
  log: FailureLog,
): Promise<RoomsRunner> {
  NestLogger.overrideLogger(false);
  const parts = { cluster, clock: systemClock, settings: localSettings(version), log };
  const context = await NestFactory.createApplicationContext(OperatorModule.of(parts));
  const reconcilers = context.get<readonly Reconciler[]>(RECONCILERS);
  return new RoomsRunner({ cluster, reconcilers, clock: systemClock, log });
}

/** Resources of ours that an earlier run had and that the files do not name any more. */
function gone(kept: readonly KubernetesObject[], files: readonly KubernetesObject[]): ObjectRef[] {
  const named = new Set(files.map((object) => refId(refOf(object))));
  return kept
    .filter(({ apiVersion }) => apiVersion === API_VERSION)
    .map(refOf)
    .filter((ref) => !named.has(refId(ref)));
}

/** Resources of ours with their defaults; what they refer to (Secrets, ConfigMaps) as it stands. */
async function admitted(files: readonly FileResource[]): Promise<KubernetesObject[]> {
  const schemas = await readCrdSchemas();
  return files.map(({ object, source }) =>
    isReferred(object) ? object : schemas.admit(object, source),
  );
}

const isReferred = ({ apiVersion, kind }: KubernetesObject): boolean =>
  apiVersion === 'v1' && ['Secret', 'ConfigMap', 'Namespace'].includes(kind);

/** As an API server stores it: the status of a new resource is what its CRD defaults to. */
function put(cluster: InMemoryCluster, resource: KubernetesObject): void {
  const stored = cluster.put(resource);
  const { status } = resource;
  if (typeof status === 'object' && status !== null) cluster.putStatus(refOf(stored), status);
}

function localSettings(version: string): OperatorSettings {
  const image = { repository: 'localhost/sallyport', tag: version };
  const settings = {
    version: 1,
    installId: 'local',
    namespace: 'default',
    renders: [{ version: 1, image }],
  };
  return readOperatorSettings(settings, 'sallyport up');
}
