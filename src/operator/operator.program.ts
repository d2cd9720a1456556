import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService } from '@nestjs/terminus';
import { createLineEmitter } from '../audit/stdout.emitter.js';
import type { ClientConfig } from '../kubernetes/client-types.js';
import { ClusterClient } from '../kubernetes/cluster.client.js';
import { EngineMetrics } from '../kubernetes/engine.metrics.js';
import { Engine } from '../kubernetes/engine.runner.js';
import type { LeaseTimings } from '../kubernetes/leader-lease.js';
import type { NamespaceScope } from '../kubernetes/namespace-scope.js';
import type { Reconciler } from '../kubernetes/reconciler.js';
import { RESOURCE_KINDS } from '../kubernetes/resources.js';
import { startHealthServer } from '../runtime/health.server.js';
import { createMetricsRegistry } from '../runtime/metrics.registry.js';
import { createPinoLogger, type LineSink } from '../runtime/pino.log.js';
import type { StopStep } from '../runtime/shutdown.js';
import { systemClock } from '../runtime/system.clock.js';
import { cachesReport, electionReport, liveReport, schemaReport } from './health-reports.js';
import { declareOperatorMetrics } from './operator.metrics.js';
import { OperatorModule } from './operator.module.js';
import { mayWatch } from './permissions.js';
import { SchemaAge } from './schema-age.runner.js';
import { guarded } from './schema-guard.reconciler.js';
import type { OperatorSettings } from './settings.js';
import { RECONCILERS } from './tokens.js';
import { auditEventOf } from './write-audit.js';

export interface OperatorOptions {
  readonly settings: OperatorSettings;
  readonly cluster: ClientConfig;
  /** Version of this program. */
  readonly version: string;
  /** Log lines. */
  readonly log: LineSink;
  /** Audit records. */
  readonly audit: LineSink;
}

/** A running operator. */
export interface RunningOperator {
  /** The port of /livez, /readyz and /metrics. */
  readonly healthPort: number;
  readonly engine: Engine;
  readonly log: ReturnType<typeof createPinoLogger>;
  /** In this order: what is in flight ends and the lease is free, before the port is gone. */
  readonly stopSteps: readonly StopStep[];
}

/**
 * Builds the operator and starts it. It runs until its steps are stopped, whether it leads or stands by.
 * @throws ActionableError ERR_LISTEN when the health port cannot be bound.
 */
export async function startOperator(options: OperatorOptions): Promise<RunningOperator> {
  const { settings, version } = options;
  const log = createPinoLogger('operator', settings.logLevel, options.log);
  const registry = createMetricsRegistry({ processMetrics: true });
  const lease = { namespace: settings.namespace, name: settings.leaderElection.leaseName };
  const metrics = new EngineMetrics({ metrics: registry, lease: lease.name });
  const instance = hostname();
  const audit = createLineEmitter({ component: 'operator', instance }, systemClock, options.audit);
  const clients = clientsOf(options, metrics);
  const engine = new Engine({
    ...clients,
    scope: scopeOf(settings),
    workers: settings.workers,
    clock: systemClock,
    random: Math.random,
    identity: `${instance}_${randomBytes(4).toString('hex')}`,
    ...(settings.leaderElection.enabled && { election: { lease, timings: timingsOf(settings) } }),
    log,
    onWrite: (record) => {
      audit.emit(auditEventOf(record));
    },
    metrics,
    kinds: RESOURCE_KINDS.filter(({ apiVersion, plural }) => mayWatch(apiVersion, plural)),
  });
  const onChange = (): void => {
    engine.enqueueAll();
  };
  const age = new SchemaAge({ client: clients.client, log, onChange });
  const outdated = () => age.outdated;
  const follows = (namespace: string): boolean => engine.follows(namespace);
  declareOperatorMetrics(registry, { cluster: engine.cluster, follows, outdated, version });

  NestLogger.overrideLogger(false);
  const parts = { cluster: engine.cluster, clock: systemClock, settings, log };
  const context = await NestFactory.createApplicationContext(OperatorModule.of(parts));
  const ready = [
    () => cachesReport(engine.health()),
    () => electionReport(engine.health()),
    () => schemaReport(age),
  ];
  const pages = { live: [liveReport], ready, metrics: registry };
  const { address, port } = settings.health;
  // An unspecified address of IPv6 means all, also where there is IPv4 only.
  const listen = { addresses: address === '::' ? [] : [address], port };
  const health = await startHealthServer(pages, context.get(HealthCheckService), listen);
  const guard = { cluster: engine.cluster, clock: systemClock, outdated };
  engine.start(guarded(context.get<readonly Reconciler[]>(RECONCILERS), guard));
  age.start();
  log.info('started', { version, scope: settings.scope.watch, port: health.port });
  return {
    healthPort: health.port,
    engine,
    log,
    stopSteps: [
      {
        name: 'age of CRDs',
        stop: () => {
          age.stop();
        },
      },
      { name: 'engine', stop: () => engine.stop() },
      { name: 'health', stop: () => health.close() },
      { name: 'rooms', stop: () => context.close() },
      { name: 'client', stop: () => clients.client.close() },
      { name: 'lease client', stop: () => clients.leaseClient.close() },
    ],
  };
}

function clientsOf({ settings, cluster, version }: OperatorOptions, metrics: EngineMetrics) {
  const options = {
    deadlineMs: settings.client.callDeadlineSeconds * 1000,
    userAgent: `sallyport-operator/${version}`,
    onCall: metrics.called.bind(metrics),
  };
  return {
    client: new ClusterClient(cluster, { ...options, connections: settings.client.connections }),
    // Of its own, so that a thousand writes that wait never delay a renewal.
    leaseClient: new ClusterClient(cluster, { ...options, connections: 1 }),
  };
}

/** The operator's own namespace is always served: the key that signs policy bundles lives there. */
function scopeOf({ scope, namespace }: OperatorSettings): NamespaceScope {
  switch (scope.watch) {
    case 'All':
      return { type: 'All' };
    case 'Named':
      return { type: 'Named', namespaces: [namespace, ...scope.namespaces] };
    case 'Selected':
      return { type: 'Labelled', labelSelector: scope.namespaceSelector, always: [namespace] };
  }
}

function timingsOf({ leaderElection }: OperatorSettings): LeaseTimings {
  return {
    leaseDurationMs: leaderElection.leaseSeconds * 1000,
    renewDeadlineMs: leaderElection.renewSeconds * 1000,
    retryPeriodMs: leaderElection.retrySeconds * 1000,
  };
}
