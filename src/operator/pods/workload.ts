import type { ObjectMeta } from '../../kubernetes/object.js';
import { canonicalQuantity } from './quantity.js';
import type { PodTemplate, Rendered, StringMap } from './shapes.js';
import { sortedMap } from './sorted.js';

interface WorkloadParts {
  readonly metadata: ObjectMeta;
  /** Immutable once created: `selectorLabels()` of kubernetes/metadata.ts. */
  readonly selector: StringMap;
  readonly template: PodTemplate;
  /** Absent while an autoscaler owns the count: it is never written then. */
  readonly replicas?: number | undefined;
  /** How long a pod must be ready before it counts. */
  readonly minReadySeconds: number;
}

export interface DeploymentParts extends WorkloadParts {
  /** When a rollout that does not get ready counts as failed. */
  readonly progressDeadlineSeconds: number;
}

export interface StatefulSetParts extends WorkloadParts {
  /** Name of the headless Service that gives each pod its DNS name. */
  readonly serviceName: string;
  /** The lowest ordinal that gets a new template (StatefulSet, partitioned updates). Absent: all pods do. */
  readonly partition?: number;
}

/** How many templates can be gone back to. */
const REVISIONS_KEPT = 5;

/** A Deployment that never has fewer ready pods than before while it rolls (hardening.md 2.3). */
export function deployment(parts: DeploymentParts): Rendered {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: parts.metadata,
    spec: {
      ...workloadFields(parts),
      progressDeadlineSeconds: parts.progressDeadlineSeconds,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    },
  };
}

/** A StatefulSet whose pods start in parallel: they have identity, not order. */
export function statefulSet(parts: StatefulSetParts): Rendered {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: parts.metadata,
    spec: {
      ...workloadFields(parts),
      serviceName: parts.serviceName,
      podManagementPolicy: 'Parallel',
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { partition: parts.partition ?? 0 },
      },
    },
  };
}

/**
 * The volume of a single replica. An object of its own rather than a claim template, which could never be
 * changed again.
 */
export function persistentVolumeClaim(parts: {
  readonly metadata: ObjectMeta;
  readonly size: string;
  readonly storageClassName?: string | undefined;
}): Rendered {
  const { metadata, size, storageClassName } = parts;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: canonicalQuantity(size) } },
      volumeMode: 'Filesystem',
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

function workloadFields(parts: WorkloadParts): Readonly<Record<string, unknown>> {
  const { selector, template, replicas, minReadySeconds } = parts;
  return {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: sortedMap(selector) },
    template,
    // Zero is the API server's default, which it does not write back.
    ...(minReadySeconds === 0 ? {} : { minReadySeconds }),
    revisionHistoryLimit: REVISIONS_KEPT,
  };
}
