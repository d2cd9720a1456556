/*
 * Which second factors are asked for.
 */
import type { FactorKind } from '../../messages/fields.js';
import { allowedKinds, type EnrolledKind } from '../factor-kinds.js';
import type { GatewaySettings } from '../settings.js';
import type { SessionLimits } from './session-rules.js';

/** What the roles of an account ask for beyond the gateway's settings. */
export interface AccountPolicy {
  /** Whether a login needs a second factor. */
  readonly required: boolean;
  /** Kinds that count; absent: all that the gateway allows. */
  readonly kinds?: readonly EnrolledKind[];
  /** Whether only a roaming security key counts. */
  readonly roamingKey?: boolean;
  /** Whether the authenticator must have verified its user, by PIN or biometry. */
  readonly userVerification?: boolean;
  readonly sessions?: Partial<SessionLimits>;
}

/** What an account must show. */
export interface FactorDemand {
  readonly required: boolean;
  /** Kinds that satisfy it. */
  readonly kinds: readonly EnrolledKind[];
  /** Whether a recovery code satisfies it as well: only where no role has restricted the kinds. */
  readonly recoveryCodes: boolean;
  readonly roamingKey: boolean;
  readonly userVerification: boolean;
}

/** A second factor, as far as policy looks at it. */
export interface EnrolledFactor {
  readonly kind: EnrolledKind;
  /** Whether it is a security key that is not part of the machine. */
  readonly roaming: boolean;
}

/** What is asked for now. */
export interface FactorQuestion {
  readonly kinds: readonly FactorKind[];
  /** Whether an answer fulfils the demand; otherwise a further factor must be enrolled after it. */
  readonly satisfies: boolean;
}

/** What the settings and the roles of an account together demand. */
export function factorDemand(
  { secondFactors }: Pick<GatewaySettings['authentication'], 'secondFactors'>,
  administrator: boolean,
  roles: AccountPolicy,
): FactorDemand {
  const { allowed, requiredFor } = secondFactors;
  const roamingKey = roles.roamingKey === true;
  const ofRoles = roamingKey ? (['WebAuthn'] as const) : roles.kinds;
  return {
    required:
      roles.required ||
      requiredFor === 'Everyone' ||
      (requiredFor === 'Administrators' && administrator),
    kinds: allowedKinds(allowed).filter((kind) => ofRoles?.includes(kind) ?? true),
    recoveryCodes: ofRoles === undefined,
    roamingKey,
    userVerification: roles.userVerification === true,
  };
}

/** Whether `factor` is of those that the demand names. */
export const counts = (factor: EnrolledFactor, demand: FactorDemand): boolean =>
  demand.kinds.includes(factor.kind) && (!demand.roamingKey || factor.roaming);

/**
 * What to ask of an account with these factors: those that count; if it has none, any that it has, since nobody may
 * add a factor without showing one that is there. Undefined: it has nothing to show.
 */
export function factorQuestion(
  factors: readonly EnrolledFactor[],
  recoveryCodesLeft: number,
  demand: FactorDemand,
): FactorQuestion | undefined {
  const fitting = factors.filter((factor) => counts(factor, demand));
  const satisfies = fitting.length > 0;
  const asked = satisfies ? fitting : factors;
  if (asked.length === 0) return undefined;
  const kinds: FactorKind[] = [...new Set(asked.map(({ kind }) => kind))];
  if (recoveryCodesLeft > 0 && (demand.recoveryCodes || !satisfies)) kinds.push('RecoveryCode');
  return { kinds, satisfies };
}
