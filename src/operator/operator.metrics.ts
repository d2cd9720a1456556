import type { Cluster } from '../kubernetes/cluster.js';
import { API_VERSION } from '../kubernetes/metadata.js';
import type { KubernetesObject } from '../kubernetes/object.js';
import type { Metrics } from '../runtime/metrics.js';
import { certificateExpiries, keyExpiries } from './expiry-dates.js';
import { KNOWN_KINDS, type OutdatedKind } from './schema-age.js';

/** What the gauges are read from. */
export interface MeasuredOperator {
  readonly cluster: Pick<Cluster, 'list'>;
  /** Whether the cache is up to date about a namespace; dates of others are not shown. */
  readonly follows: (namespace: string) => boolean;
  /** Kinds whose CRD is older than this program. */
  readonly outdated: () => readonly OutdatedKind[] | undefined;
  /** Of this program. */
  readonly version: string;
}

/** Declares the gauges that only the operator has; they are read from its cache at each scrape. */
export function declareOperatorMetrics(
  metrics: Metrics,
  { cluster, follows, outdated, version }: MeasuredOperator,
): void {
  const all = (kind: string) =>
    cluster
      .list<KubernetesObject>(API_VERSION, kind)
      .filter(({ metadata }) => follows(metadata.namespace ?? ''));
  metrics.gauge({
    name: 'sallyport_certificate_not_after_timestamp_seconds',
    help: 'When a certificate ends, in Unix seconds.',
    labelNames: ['namespace', 'secret', 'purpose'],
    collect: (gauge) => {
      gauge.reset();
      const resources = [...all('SignalingGateway'), ...all('RelayPool')];
      for (const { notAfterSeconds, ...labels } of certificateExpiries(resources)) {
        gauge.set(notAfterSeconds, labels);
      }
    },
  });
  metrics.gauge({
    name: 'sallyport_lease_key_not_after_timestamp_seconds',
    help: 'When the lease key of a gateway in this state is accepted no longer, in Unix seconds.',
    labelNames: ['namespace', 'gateway', 'state'],
    collect: (gauge) => {
      gauge.reset();
      for (const { notAfterSeconds, ...labels } of keyExpiries(all('SignalingGateway'))) {
        gauge.set(notAfterSeconds, labels);
      }
    },
  });
  metrics.gauge({
    name: 'sallyport_crd_outdated',
    help: '1 while a kind is held because its CRD is older than this program.',
    labelNames: ['kind'],
    collect: (gauge) => {
      const held = new Set(outdated()?.map(({ kind }) => kind));
      for (const { kind } of KNOWN_KINDS) gauge.set(held.has(kind) ? 1 : 0, { kind });
    },
  });
  metrics
    .gauge({
      name: 'sallyport_build_info',
      help: 'Version of this program.',
      labelNames: ['version'],
    })
    .set(1, { version });
}
