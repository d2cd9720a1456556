import 'reflect-metadata';
import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import type { Call, CallHooks } from '../../../src/kubernetes/client-types.js';
import { Engine } from '../../../src/kubernetes/engine.runner.js';
import type { Reconciler } from '../../../src/kubernetes/reconciler.js';
import { OperatorModule } from '../../../src/operator/operator.module.js';
import { readOperatorSettings } from '../../../src/operator/settings.js';
import { RECONCILERS } from '../../../src/operator/tokens.js';
import type { Clock } from '../../../src/runtime/clock.js';
import { SILENT_LOGGER } from '../../../src/runtime/log.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
import type { TestApiServer } from '../bed/api-server.js';

/** All rooms on an engine of their own, serving one namespace. */
export interface RunningRooms {
  /** Resolves when nothing has been queued or in work for `quietMs`. */
  settled(quietMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Thrown into every call of an engine that has crashed. */
export class Crashed extends Error {}

/** Starts the operator's rooms in this process, with empty memory. */
export async function startRooms(
  server: TestApiServer,
  namespace: string,
  hooks: CallHooks = {},
  clock: Clock = systemClock,
): Promise<RunningRooms> {
  NestLogger.overrideLogger(false);
  const client = new ClusterClient(
    { server: server.url, ca: server.ca, token: server.tokenOf('admin') },
    { hooks },
  );
  const engine = new Engine({
    client,
    scope: { type: 'Named', namespaces: [namespace] },
    workers: 4,
    clock,
    random: Math.random,
    identity: 'crash-walk',
    log: SILENT_LOGGER,
    onWrite: () => undefined,
  });
  const settings = readOperatorSettings(settingsFor(namespace), 'test');
  const parts = { cluster: engine.cluster, clock, settings, log: SILENT_LOGGER };
  const context = await NestFactory.createApplicationContext(OperatorModule.of(parts));
  engine.start(context.get<readonly Reconciler[]>(RECONCILERS));
  return {
    settled: async (quietMs = 120) => {
      await engine.synced;
      let quietSince = performance.now();
      const deadline = quietSince + 20_000;
      while (performance.now() - quietSince < quietMs) {
        if (performance.now() > deadline)
          throw new Error(`${namespace} did not settle within 20 s`);
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (!engine.idle) quietSince = performance.now();
      }
    },
    stop: async () => {
      await engine.stop();
      await context.close();
      await client.close();
    },
  };
}

/** Settings of an operator whose own namespace is the one that it serves. */
export function settingsFor(namespace: string): object {
  return {
    version: 1,
    installId: 'test',
    namespace,
    scope: { watch: 'Named', namespaces: [namespace] },
    leaderElection: { enabled: false },
    renders: [
      {
        version: 1,
        image: {
          repository: 'registry.example/sallyport',
          tag: '0.1.0',
          digest: `sha256:${'0'.repeat(64)}`,
        },
      },
    ],
    cluster: {
      serviceCIDRs: ['10.96.0.0/12'],
      podCIDRs: ['10.244.0.0/16'],
      apiServer: ['10.0.0.1/32'],
    },
  };
}

const COUNTED: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete']);

/** How the n-th call ends: the engine stops right after its answer, or the answer never comes and the engine goes on. */
export type Ending = 'Abort' | 'LoseAnswer';

/** Counts the calls of an engine from `arm` on (lists and watches apart) and lets the n-th end badly. */
export class CrashPoint {
  count = 0;
  /** Those of `count` that were no reads. */
  writes = 0;
  /** What the n-th call was. */
  struck: Call | undefined;
  private armed = false;
  private dead = false;

  constructor(
    private readonly nth = Number.POSITIVE_INFINITY,
    private readonly ending: Ending = 'Abort',
  ) {}

  arm(): void {
    this.armed = true;
  }

  readonly hooks: CallHooks = {
    beforeCall: () => {
      if (this.dead) throw new Crashed('this engine has crashed');
    },
    afterCall: (call) => {
      if (!this.armed || !COUNTED.has(call.verb)) return;
      this.count += 1;
      if (call.verb !== 'get') this.writes += 1;
      if (this.count !== this.nth) return;
      this.struck = call;
      if (this.ending === 'Abort') this.dead = true;
      throw new Crashed(`after call ${this.nth}`);
    },
  };
}
