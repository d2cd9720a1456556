import type { GatewayValues } from './defaults.js';

/** A rule that the effective values break, with what to change. */
export interface BrokenRule {
  /** Path below `spec` of the value to change. */
  readonly field: string;
  readonly message: string;
}

/** What may drift between a gateway's and a relay's clock, and the time that a new key needs to reach every relay, in seconds. */
const KEY_OVERLAP_MARGIN_SECONDS = 180;

/**
 * The cross-field rules of the CRD on effective values: CEL sees a rule only when both fields are set, but a set
 * field can break it together with a default or a policy. Empty when all hold.
 */
export function brokenGatewayRules(values: GatewayValues): readonly BrokenRule[] {
  return RULES.flatMap((rule) => rule(values) ?? []);
}

const RULES: readonly ((values: GatewayValues) => BrokenRule | undefined)[] = [
  overlapCoversLeases,
  rotationOutlivesOverlap,
  idleWithinAbsolute,
  secondFactorExists,
];

/** A lease that was signed with a key must stay valid to its end (architecture 9, keys). */
function overlapCoversLeases({ keyRotation, leases }: GatewayValues): BrokenRule | undefined {
  const needed = 2 * leases.lifetimeSeconds + KEY_OVERLAP_MARGIN_SECONDS;
  if (keyRotation.overlapSeconds >= needed) return undefined;
  return {
    field: 'keyRotation.overlapSeconds',
    message: `keyRotation.overlapSeconds is ${keyRotation.overlapSeconds} but leases of ${leases.lifetimeSeconds} s need at least ${needed}: raise it or shorten the leases.`,
  };
}

function rotationOutlivesOverlap({ keyRotation }: GatewayValues): BrokenRule | undefined {
  const { everySeconds, overlapSeconds } = keyRotation;
  if (everySeconds > overlapSeconds) return undefined;
  return {
    field: 'keyRotation.everySeconds',
    message: `keyRotation.everySeconds is ${everySeconds} but the overlap is ${overlapSeconds}: write an everySeconds greater than overlapSeconds.`,
  };
}

function idleWithinAbsolute({ authentication }: GatewayValues): BrokenRule | undefined {
  const { idleTimeoutSeconds, absoluteTimeoutSeconds } = authentication.sessions;
  if (idleTimeoutSeconds <= absoluteTimeoutSeconds) return undefined;
  return {
    field: 'authentication.sessions.idleTimeoutSeconds',
    message: `sessions end at ${absoluteTimeoutSeconds} s, before they are idle for ${idleTimeoutSeconds} s: write an idleTimeoutSeconds of at most absoluteTimeoutSeconds.`,
  };
}

function secondFactorExists({ authentication }: GatewayValues): BrokenRule | undefined {
  const { allowed, requiredFor } = authentication.secondFactors;
  if (requiredFor === 'Nobody' || allowed.length > 0) return undefined;
  return {
    field: 'authentication.secondFactors.allowed',
    message: `a second factor is required for ${requiredFor} but none is allowed: write WebAuthn, Totp or both into allowed.`,
  };
}
