import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { API_VERSION } from '../kubernetes/metadata.js';
import type { KubernetesObject } from '../kubernetes/object.js';
import { refOf } from '../kubernetes/object.js';
import type { Reconciler } from '../kubernetes/reconciler.js';
import { OperatorModule } from '../operator/operator.module.js';
import { readOperatorSettings, type OperatorSettings } from '../operator/settings.js';
import { RECONCILERS } from '../operator/tokens.js';
import { systemClock } from '../runtime/system.clock.js';
import { InMemoryCluster } from '../standalone/in-memory-cluster.js';
import { RoomsRunner } from '../standalone/rooms.runner.js';
import { readCrdSchemas } from './crd.files.js';
import { FailureLog } from './failure-log.js';
import { readResourceFiles, type FileResource } from './resource.files.js';
import { changedLines, isAccepted, rowOf, tableLines, type ResourceRow } from './resource-table.js';
import { Screen, type Output } from './terminal.screen.js';

/** How often the table looks at the resources. */
const LOOK_EVERY_MS = 100;
/** Quiet for this many looks in a row is converged: a change may still be on its way through a queue. */
const QUIET_LOOKS = 3;
const NOTICE =
  'Pods are not started by this version: workloads stay without replicas. Nothing listens.';

export interface UpOptions {
  readonly folders: readonly string[];
  readonly version: string;
  readonly output: Output;
}

/** Resources from files, reconciled in memory. */
export class Up {
  readonly #output: Output;
  readonly #cluster: InMemoryCluster;
  readonly #runner: RoomsRunner;
  readonly #failures: FailureLog;
  readonly #screen: Screen;
  #shown: readonly ResourceRow[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    output: Output,
    cluster: InMemoryCluster,
    runner: RoomsRunner,
    failures: FailureLog,
  ) {
    this.#output = output;
    this.#cluster = cluster;
    this.#runner = runner;
    this.#failures = failures;
    this.#screen = new Screen(output);
  }

  /** Reads the files, wires the rooms and starts them. @throws ActionableError for a file that cannot be used */
  static async start({ folders, version, output }: UpOptions): Promise<Up> {
    const resources = await admitted(await readResourceFiles(folders));
    const cluster = new InMemoryCluster({ newUid: randomUUID, now: () => systemClock.now() });
    for (const resource of resources) put(cluster, resource);
    const log = new FailureLog();
    NestLogger.overrideLogger(false);
    const parts = { cluster, clock: systemClock, settings: localSettings(version), log };
    const context = await NestFactory.createApplicationContext(OperatorModule.of(parts));
    const reconcilers = context.get<readonly Reconciler[]>(RECONCILERS);
    const runner = new RoomsRunner({ cluster, reconcilers, clock: systemClock, log });
    runner.start();
    return new Up(output, cluster, runner, log);
  }

  /** Shows the table until `stop`: redrawn in a terminal, as lines of what changed elsewhere. */
  show(): void {
    if (!this.#output.isTTY) this.#output.write(`${NOTICE}\n`);
    this.#draw();
    this.#timer = setInterval(() => {
      this.#draw();
    }, LOOK_EVERY_MS);
  }

  /** Waits until nothing is left to do, prints the table once, and says whether every resource was accepted. */
  async once(): Promise<boolean> {
    for (let quiet = 0; quiet < QUIET_LOOKS; quiet = this.#runner.idle ? quiet + 1 : 0) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    const lines = [...tableLines(this.#rows(), 0), ...this.#failures.lines(), NOTICE];
    this.#output.write(lines.map((line) => `${line}\n`).join(''));
    return this.#failures.lines().length === 0 && this.#resources().every(isAccepted);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#runner.stop();
  }

  #draw(): void {
    const rows = this.#rows();
    if (this.#output.isTTY) {
      const lines = tableLines(rows, this.#output.columns ?? 80);
      this.#screen.draw([...lines, ...this.#failures.lines(), '', `${NOTICE} Ctrl-C stops.`]);
      return;
    }
    for (const line of [...changedLines(this.#shown, rows), ...this.#failures.takeNew()]) {
      this.#output.write(`${line}\n`);
    }
    this.#shown = rows;
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
