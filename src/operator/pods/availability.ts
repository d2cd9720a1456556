import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered, StringMap } from './shapes.js';
import { sortedMap } from './sorted.js';

/** A shorter memory lets a pause in traffic remove the pods that its return needs (hardening.md 2.3). */
const SCALE_DOWN_STABILIZATION_SECONDS = 300;

/**
 * Lets at most one pod be evicted at a time. With a single replica that is the only one: a budget that forbade it
 * would stop every node drain. A pod that is broken anyway never holds up a drain.
 */
export function podDisruptionBudget(parts: {
  readonly metadata: ObjectMeta;
  readonly selector: StringMap;
}): Rendered {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: parts.metadata,
    spec: {
      selector: { matchLabels: sortedMap(parts.selector) },
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}

/** `spec.autoscaling` of a resource. */
export interface Autoscaling {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetCpuUtilizationPercent: number;
}

/** Scales a workload on the CPU of its pods: up at once, down slowly and one pod a minute. */
export function horizontalPodAutoscaler(parts: {
  readonly metadata: ObjectMeta;
  readonly target: { readonly kind: 'Deployment' | 'StatefulSet'; readonly name: string };
  readonly autoscaling: Autoscaling;
}): Rendered {
  const { metadata, target, autoscaling } = parts;
  const averageUtilization = autoscaling.targetCpuUtilizationPercent;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: target.kind, name: target.name },
      minReplicas: autoscaling.minReplicas,
      maxReplicas: autoscaling.maxReplicas,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
        },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [{ type: 'Percent', value: 100, periodSeconds: 60 }],
        },
        scaleDown: {
          stabilizationWindowSeconds: SCALE_DOWN_STABILIZATION_SECONDS,
          selectPolicy: 'Max',
          policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
        },
      },
    },
  };
}
