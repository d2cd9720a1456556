import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.js';
import type { RuleGroup } from './rules.js';

/** The rules as prometheus-operator reads them. Needs the API `monitoring.coreos.com/v1`. */
export function prometheusRule(
  metadata: ObjectMeta,
  groups: readonly RuleGroup[],
): KubernetesObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata,
    spec: { groups },
  };
}
