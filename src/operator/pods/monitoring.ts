import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered, StringMap } from './shapes.js';
import { sortedMap } from './sorted.js';

/** Name of the port of /livez, /readyz and /metrics on every pod and Service of ours. */
export const METRICS_PORT_NAME = 'metrics';

/**
 * A ServiceMonitor of prometheus-operator: scrapes `metrics` of the pods behind the Services that `selector`
 * selects, in the namespace of the resource only. Needs the API `monitoring.coreos.com/v1`.
 */
export function serviceMonitor(parts: {
  readonly metadata: ObjectMeta;
  /** Labels of one Service: two Services with the same pods would scrape each pod twice. */
  readonly selector: StringMap;
}): Rendered {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: parts.metadata,
    spec: {
      selector: { matchLabels: sortedMap(parts.selector) },
      namespaceSelector: { matchNames: [parts.metadata.namespace ?? ''] },
      endpoints: [{ port: METRICS_PORT_NAME, path: '/metrics', scheme: 'http', interval: '30s' }],
    },
  };
}
