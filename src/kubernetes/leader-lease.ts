import type { KubernetesObject } from './object.js';

/** Thrown instead of writing when this process does not lead (any more), or is stopping. */
export class Fenced extends Error {
  override readonly name = 'Fenced';

  constructor() {
    super('this process does not lead: nothing is written');
  }
}

/** Times of an election, in milliseconds. Each must be longer than the next. */
export interface LeaseTimings {
  /** Others may take the lease when it was not renewed for this long. */
  readonly leaseDurationMs: number;
  /** We stop writing when we could not renew for this long. */
  readonly renewDeadlineMs: number;
  /** Between two attempts. */
  readonly retryPeriodMs: number;
}

/**
 * As kube-controller-manager's (15 s, 10 s, 2 s), but with 12 s to renew: with an API server that takes 5 s for every
 * answer, two renewals are 10 s apart.
 */
export const LEASE_TIMINGS: LeaseTimings = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 12_000,
  retryPeriodMs: 2_000,
};

/** @throws RangeError when `timings` could let two processes lead at once. */
export function checkTimings(timings: LeaseTimings): void {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = timings;
  if (leaseDurationMs < 1000 || !(leaseDurationMs > renewDeadlineMs)) {
    throw new RangeError('leaseDurationMs must be at least 1000 and greater than renewDeadlineMs');
  }
  if (retryPeriodMs <= 0 || !(renewDeadlineMs > retryPeriodMs * 1.2)) {
    throw new RangeError('renewDeadlineMs must be greater than 1.2 times retryPeriodMs');
  }
}

/** The lease as it was last seen to change, and when by our own clock: another machine's clock is never believed. */
export interface ObservedLease {
  readonly resourceVersion: string;
  readonly atMs: number;
}

/** Notes when the lease was last seen in a new version. */
export function observeLease(
  previous: ObservedLease | undefined,
  lease: KubernetesObject,
  nowMs: number,
): ObservedLease {
  const resourceVersion = lease.metadata.resourceVersion ?? '';
  return previous?.resourceVersion === resourceVersion
    ? previous
    : { resourceVersion, atMs: nowMs };
}

export interface LeaseInput {
  readonly lease: KubernetesObject | undefined;
  readonly observed: ObservedLease | undefined;
  readonly identity: string;
  readonly timings: LeaseTimings;
  readonly nowMs: number;
  readonly now: Date;
  readonly ref: { readonly namespace: string; readonly name: string };
}

export type LeaseDecision =
  | { readonly action: 'Create'; readonly lease: KubernetesObject }
  /** To be sent as a PUT with the resource version that was read: whoever is second gets 409. */
  | { readonly action: 'Acquire' | 'Renew'; readonly lease: KubernetesObject }
  | { readonly action: 'Wait'; readonly holder: string };

/** What to do about the lease now. */
export function decideLease(input: LeaseInput): LeaseDecision {
  const { lease, identity, observed, nowMs } = input;
  if (!lease)
    return { action: 'Create', lease: leaseBody(input, { acquired: true, transitions: 0 }) };
  const { holderIdentity = '', leaseTransitions = 0 } = leaseSpec(lease);
  if (holderIdentity === identity) {
    return {
      action: 'Renew',
      lease: leaseBody(input, { acquired: false, transitions: leaseTransitions }),
    };
  }
  const expired = observed !== undefined && nowMs - observed.atMs >= holderDurationMs(input);
  if (holderIdentity !== '' && !expired) return { action: 'Wait', holder: holderIdentity };
  return {
    action: 'Acquire',
    lease: leaseBody(input, { acquired: true, transitions: leaseTransitions + 1 }),
  };
}

/** The lease given back: nobody holds it, so the next takes it at once. */
export function releasedLease(lease: KubernetesObject, now: Date): KubernetesObject {
  return {
    ...lease,
    spec: {
      ...leaseSpec(lease),
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: microTime(now),
    },
  };
}

/** RFC 3339 with six digits, as metav1.MicroTime wants it. */
export function microTime(instant: Date): string {
  return instant.toISOString().replace('Z', '000Z');
}

/** Whether `identity` stands in the lease. */
export function isHeldBy(lease: KubernetesObject, identity: string): boolean {
  return leaseSpec(lease).holderIdentity === identity;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
}

function leaseSpec(lease: KubernetesObject): LeaseSpec {
  return lease['spec'] ?? {};
}

/** The holder's own duration counts: it may have been started with other timings than ours. */
function holderDurationMs({ lease, timings }: LeaseInput): number {
  const seconds = lease ? leaseSpec(lease).leaseDurationSeconds : undefined;
  return Math.max(timings.leaseDurationMs, (seconds ?? 0) * 1000);
}

function leaseBody(
  { lease, identity, timings, now, ref }: LeaseInput,
  { acquired, transitions }: { readonly acquired: boolean; readonly transitions: number },
): KubernetesObject {
  const at = microTime(now);
  return {
    ...(lease ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...ref } }),
    spec: {
      ...(lease ? leaseSpec(lease) : {}),
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(timings.leaseDurationMs / 1000),
      acquireTime: acquired ? at : ((lease ? leaseSpec(lease).acquireTime : undefined) ?? at),
      renewTime: at,
      leaseTransitions: transitions,
    },
  };
}
