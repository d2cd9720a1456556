import type { Child } from '../../kubernetes/cluster.js';
import type { ObjectMeta } from '../../kubernetes/object.js';
import type { KeyFact } from './facts.js';
import { observedKeys, ownSecret } from './facts.js';
import type { KeyPlan, SigningKeysOrder } from './orders.js';
import type { KeyWishes, RelayConfirmation, RotationSchedule } from './signing-keys.js';
import { planSigningKeys } from './signing-keys.js';

/** A relay must have a key before a lease that it signed arrives: kubelet brings a ConfigMap within 90 s or so. */
export const PUBLISH_SECONDS = 180;

export interface LeaseKeysInput {
  /** Secret `NAME-gateway-lease-keys` as the cache shows it. */
  readonly secret: Child | undefined;
  /** Metadata with which that Secret is written (`childMetadata`). */
  readonly metadata: ObjectMeta;
  /** `keyRotation` of the gateway, effective values. */
  readonly schedule: RotationSchedule;
  /** Annotations `sallyport.dev/rotate` and `sallyport.dev/revoke` of the gateway. */
  readonly wishes: KeyWishes;
  /** What live relays say they have; absent while no relay reports. */
  readonly relays?: readonly RelayConfirmation[];
  readonly now: Date;
}

/** What a gateway's lease keys need now (architecture.md 9). */
export function planLeaseKeys(input: LeaseKeysInput): KeyPlan<KeyFact, SigningKeysOrder> {
  const { secret, metadata, schedule, wishes, relays, now } = input;
  return planSigningKeys(observedKeys(ownSecret(secret, metadata), metadata), {
    purpose: 'Lease',
    metadata,
    schedule,
    publishSeconds: PUBLISH_SECONDS,
    wishes,
    ...(relays === undefined ? {} : { relays }),
    now,
  });
}

/** The keys that relays are given: all but revoked ones. */
export function acceptedKeys(facts: readonly KeyFact[]): readonly KeyFact[] {
  return facts.filter(({ state }) => state !== 'revoked');
}

/** `status.keys[]`: ids and dates. A revoked key is nobody's key and not listed. */
export function keyStatus(facts: readonly KeyFact[]): readonly KeyStatus[] {
  return facts.flatMap(({ kid, state, notBefore, notAfter, publishedAt }) =>
    state === 'revoked' ? [] : [{ kid, state: STATES[state], notBefore, notAfter, publishedAt }],
  );
}

/** One row of `status.keys[]`. */
export interface KeyStatus {
  readonly kid: string;
  readonly state: 'Current' | 'Next' | 'Retired';
  readonly notBefore: string;
  readonly notAfter: string;
  readonly publishedAt: string;
}

const STATES = { current: 'Current', next: 'Next', retired: 'Retired' } as const;
