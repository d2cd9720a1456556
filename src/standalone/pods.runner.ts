/*
 * Runs the pods of an in-memory cluster as processes of this machine: files, addresses, starts, replacements, statuses.
 * Decisions are in rollout.ts and pod-files.ts.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { refOf } from '../kubernetes/object.js';
import type { KubernetesObject } from '../kubernetes/object.js';
import { ActionableError, messageOf } from '../runtime/errors.js';
import type { Logger } from '../runtime/log.js';
import { AddressBook } from './address-book.js';
import type { InMemoryCluster } from './in-memory-cluster.js';
import { commandLine, environmentOf, folderOf, podFiles, type PodPlace } from './pod-files.js';
import { PodProcess, type PodState } from './pod.process.js';
import { endLeftProcess, forgetProcess, livingProcess, noteProcess } from './process.files.js';
import { isSelected, workloadsIn, type Pod, type Workload } from './pods.js';
import { nextStep } from './rollout.js';
import { heldPort } from './ports.socket.js';
import { writeVolume } from './volume.files.js';

/** How often it looks again without being told: a probe may have changed nothing but the time. */
const LOOK_EVERY_MS = 1_000;
/** With Ctrl-C nobody waits for a drain: a second SIGTERM ends our programs at once. */
const HURRY_MS = 1_500;

/** A port that is held for longer is not one that a process of ours is about to leave. */
const HELD_FOR_GOOD_MS = 4_000;

/** What the runner works with. */
export interface PodsOptions {
  readonly cluster: InMemoryCluster;
  /** Absolute folder of everything that is kept and run; made if it is not there. */
  readonly folder: string;
  /** What a container's command is on this machine. */
  readonly programOf: (argv: readonly string[]) => readonly string[];
  readonly log: Logger;
}

/** The pods of a cluster as processes. */
export class PodsRunner {
  readonly #options: PodsOptions;
  readonly #addresses = new AddressBook();
  readonly #running = new Map<string, PodProcess>();
  readonly #waiting = new Map<string, string>();
  readonly #held = new Map<string, { readonly port: string; readonly sinceMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #isWorking = false;
  #again = false;
  #stopped = false;

  constructor(options: PodsOptions) {
    this.#options = options;
  }

  /** Ends what an earlier run left, and begins. @throws ActionableError when another run has the folder */
  start(): void {
    this.#takeFolder();
    const pods = `${this.#options.folder}/pods`;
    mkdirSync(pods, { recursive: true, mode: 0o700 });
    for (const namespace of readdirSync(pods)) {
      for (const name of readdirSync(`${pods}/${namespace}`)) {
        if (endLeftProcess(`${pods}/${namespace}/${name}`))
          this.#options.log.warn('a process of an earlier run was ended', { pod: name });
      }
    }
    process.once('exit', this.#kill);
    this.#timer = setInterval(() => {
      this.look();
    }, LOOK_EVERY_MS);
    this.look();
  }

  /** Looks at the cluster and does the next step; calls while it works make it look once more. */
  look(): void {
    this.#again = true;
    if (this.#stopped || this.#isWorking) return;
    this.#isWorking = true;
    this.#work = this.#workOff().finally(() => {
      this.#isWorking = false;
    });
  }

  /** How the pods are doing, by name; those that wait for an object say for which. */
  get states(): readonly PodState[] {
    const running = [...this.#running.values()].map(({ state }) => state);
    const waiting = [...this.#waiting].map(([id, missing]) => ({
      ...{ id, address: this.#addresses.of(id), phase: `waits for ${missing}` },
      ...{ ready: false, restarts: 0, residentBytes: undefined },
    }));
    return [...running, ...waiting].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** A pod that cannot start because others hold its port, after some seconds in which they did not leave it. */
  get blocked(): { readonly pod: string; readonly port: string } | undefined {
    const until = performance.now() - HELD_FOR_GOOD_MS;
    const held = [...this.#held].find(([, { sinceMs }]) => sinceMs < until);
    return held && { pod: held[0], port: held[1].port };
  }

  /** However this process ends, short of SIGKILL, its pods end as well. */
  readonly #kill = (): void => {
    for (const running of this.#running.values()) running.kill();
  };

  /** Ends every process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#work;
    await Promise.all([...this.#running.values()].map((process) => process.stop(HURRY_MS)));
    this.#running.clear();
    process.off('exit', this.#kill);
    forgetProcess(this.#options.folder);
  }

  /** Two runs would end each other's processes. */
  #takeFolder(): void {
    const { folder } = this.#options;
    const other = livingProcess(folder);
    if (other !== undefined)
      throw new ActionableError(
        'ERR_STATE',
        `${folder} is in use by process ${other}.`,
        'End that one first, or name another folder with --state.',
      );
    noteProcess(folder, process.pid);
  }

  async #workOff(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#sync();
    }
  }

  async #sync(): Promise<void> {
    const objects = this.#options.cluster.objects();
    const workloads = workloadsIn(objects);
    const services = this.#assignAddresses(objects, workloads);
    for (const workload of workloads) {
      await this.#bring(workload, services).catch((error: unknown) => {
        const message = messageOf(error);
        this.#options.log.error('a pod cannot be started', { workload: workload.id, message });
      });
    }
    this.#endSurplus(new Set(workloads.map(({ id }) => id)));
    for (const running of this.#running.values()) {
      await this.#writeFiles(running.pod, services);
      // It holds nothing now: whoever has its port is somebody else.
      if (running.phase === 'BackOff') await this.#heldPort(running.pod, running.address);
      if (running.ready) this.#held.delete(running.pod.id);
    }
  }

  async #bring(workload: Workload, services: ReadonlyMap<string, string>): Promise<void> {
    const live = [...this.#running.values()]
      .filter(({ pod }) => pod.workload === workload.id)
      .map((process) => ({
        pod: process.pod,
        ready: process.ready,
        stopping: process.phase === 'Stopping' || process.phase === 'Ended',
      }));
    const step = nextStep(workload, live);
    for (const pod of step.start) await this.#startPod(pod, services);
    for (const id of step.stop) this.#stopPod(id);
    const ref = refOf(workload.object);
    const before = JSON.stringify(workload.object['status'] ?? {});
    if (before !== JSON.stringify(step.status)) this.#options.cluster.putStatus(ref, step.status);
  }

  async #startPod(pod: Pod, services: ReadonlyMap<string, string>): Promise<void> {
    const missing = await this.#writeFiles(pod, services);
    if (missing.length > 0) {
      this.#waiting.set(pod.id, missing.join(', '));
      return;
    }
    const place = this.#placeOf(pod, services);
    const held = await this.#heldPort(pod, place.address);
    if (held !== undefined) {
      this.#waiting.set(pod.id, `${held}, which another program holds`);
      return;
    }
    this.#waiting.delete(pod.id);
    const command = {
      argv: this.#options.programOf(commandLine(pod, place)),
      env: Object.fromEntries(environmentOf(pod, place)),
      address: place.address,
      folder: this.#folderOf(pod),
    };
    const running = new PodProcess(pod, command, () => {
      if (running.phase === 'Ended') this.#forget(running);
      if (running.phase === 'BackOff') this.#tellFailure(running);
      this.look();
    });
    this.#running.set(pod.id, running);
    running.start();
  }

  #tellFailure({ pod, failure }: PodProcess): void {
    if (failure === undefined) return;
    this.#options.log.error('a program ended', { pod: pod.id, because: failure });
  }

  async #heldPort({ id, container }: Pod, address: string): Promise<string | undefined> {
    const port = await heldPort(address, container.ports ?? []);
    if (port === undefined) this.#held.delete(id);
    else this.#held.set(id, { port, sinceMs: this.#held.get(id)?.sinceMs ?? performance.now() });
    return port;
  }

  #stopPod(id: string): void {
    const process = this.#running.get(id);
    void process?.stop(process.pod.graceSeconds * 1_000);
  }

  #endSurplus(workloads: ReadonlySet<string>): void {
    for (const { pod } of this.#running.values()) {
      if (!workloads.has(pod.workload)) this.#stopPod(pod.id);
    }
  }

  #forget(process: PodProcess): void {
    const { pod } = process;
    if (this.#running.get(pod.id) === process) this.#running.delete(pod.id);
    rmSync(`${this.#folderOf(pod)}/volumes`, { recursive: true, force: true });
  }

  /** Gives what must exist first. */
  async #writeFiles(pod: Pod, services: ReadonlyMap<string, string>): Promise<readonly string[]> {
    const place = this.#placeOf(pod, services);
    const find = (kind: string, name: string): KubernetesObject | undefined =>
      this.#options.cluster
        .objects()
        .find(
          (object) =>
            object.kind === kind &&
            object.metadata.name === name &&
            object.metadata.namespace === pod.namespace,
        );
    const { projected, missing } = podFiles(pod, find, place);
    if (missing.length > 0) return missing;
    for (const volume of pod.volumes) {
      const folder = folderOf(volume, place);
      if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    for (const { volume, ...files } of projected)
      await writeVolume(`${place.volumes}/${volume}`, files);
    return [];
  }

  #placeOf(pod: Pod, services: ReadonlyMap<string, string>): PodPlace {
    return {
      volumes: `${this.#folderOf(pod)}/volumes`,
      claims: `${this.#options.folder}/claims/${pod.namespace}`,
      address: this.#addresses.of(pod.id),
      services,
    };
  }

  #folderOf({ namespace, name }: Pod): string {
    return `${this.#options.folder}/pods/${namespace}/${name}`;
  }

  /** Every Service gets the address of the first pod that it leads to, as its cluster address and under its name. */
  #assignAddresses(
    objects: readonly KubernetesObject[],
    workloads: readonly Workload[],
  ): ReadonlyMap<string, string> {
    const pods = workloads.flatMap((workload) => workload.pods);
    const byName = new Map<string, string>();
    for (const service of objects.filter(({ kind }) => kind === 'Service')) {
      const spec = service['spec'] as ServiceSpec;
      const pod = pods.find((candidate) => isSelected(spec.selector, candidate));
      if (pod === undefined) continue;
      const address = this.#addresses.of(pod.id);
      const { name, namespace = 'default' } = service.metadata;
      byName.set(`${name}.${namespace}.svc`, address);
      if (spec.clusterIP === undefined)
        this.#options.cluster.assign(refOf(service), { clusterIP: address, clusterIPs: [address] });
    }
    return byName;
  }
}

interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly clusterIP?: string;
}
