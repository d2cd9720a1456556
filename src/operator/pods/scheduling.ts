import { sortedMap } from './sorted.js';
import type { StringMap } from './shapes.js';

/** `spec.scheduling` of a resource. */
export interface Scheduling {
  readonly nodeSelector?: StringMap | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  /** Values of `topology.kubernetes.io/region` on which pods may run: data residency. */
  readonly regions?: readonly string[] | undefined;
  readonly priorityClassName?: string | undefined;
}

export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: 'Exists' | 'Equal' | 'Lt' | 'Gt' | undefined;
  readonly value?: string | undefined;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' | undefined;
  readonly tolerationSeconds?: number | undefined;
}

/** The most that a preference can weigh (core/v1, WeightedPodAffinityTerm). */
const MAX_WEIGHT = 100;

/**
 * Where the pods that `selector` selects may run. Replicas prefer different nodes and spread over zones; both are
 * preferences, because a cluster of one node must run everything too. Regions are a requirement.
 */
export function schedulingFields(
  scheduling: Scheduling | undefined,
  selector: StringMap,
): Readonly<Record<string, unknown>> {
  const { nodeSelector, tolerations, regions, priorityClassName } = scheduling ?? {};
  const matchLabels = sortedMap(selector);
  return {
    affinity: {
      ...(regions === undefined || regions.length === 0
        ? {}
        : { nodeAffinity: inRegions(regions) }),
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: MAX_WEIGHT,
            podAffinityTerm: {
              labelSelector: { matchLabels },
              topologyKey: 'kubernetes.io/hostname',
            },
          },
        ],
      },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels },
      },
    ],
    ...(nodeSelector === undefined || Object.keys(nodeSelector).length === 0
      ? {}
      : { nodeSelector: sortedMap(nodeSelector) }),
    ...(tolerations === undefined || tolerations.length === 0
      ? {}
      : { tolerations: tolerations.map(toleration) }),
    ...(priorityClassName === undefined || priorityClassName === '' ? {} : { priorityClassName }),
  };
}

function inRegions(regions: readonly string[]) {
  const values = [...new Set(regions)].sort();
  return {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'topology.kubernetes.io/region', operator: 'In', values }] },
      ],
    },
  };
}

/** Field by field in one order, empty ones left out, as the API server writes it. */
function toleration(from: Toleration): Readonly<Record<string, unknown>> {
  const { key, operator, value, effect, tolerationSeconds } = from;
  return {
    ...(key === undefined || key === '' ? {} : { key }),
    ...(operator === undefined ? {} : { operator }),
    ...(value === undefined || value === '' ? {} : { value }),
    ...(effect === undefined ? {} : { effect }),
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  };
}
