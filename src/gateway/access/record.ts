/*
 * The audit record of a request: whether there is one, and what it holds, by level. Golden files in test/golden/access.
 */
import type { AuditEvent } from '../../audit/record.js';
import type { RequestName } from '../../messages/requests.js';
import type { BundleRole } from '../../policy/roles.js';
import type { Refused } from '../caller.js';
import { isAdministration, type Route } from './routes.js';

/** How much is recorded; each holds what the one before does. */
export const AUDIT_LEVELS = ['Minimal', 'Standard', 'Maximum'] as const;
/** How much is recorded. */
export type AuditLevel = (typeof AUDIT_LEVELS)[number];

/** A request that was decided. */
export interface DecidedRequest {
  readonly name: RequestName;
  readonly route: Route;
  readonly account: string;
  readonly administrator: boolean;
  readonly address: string;
  /** Role and rule that decided. */
  readonly by: string;
  /** Why it was denied; absent: it was allowed. */
  readonly denial?: string;
  /** What became of it after it was allowed. */
  readonly refused?: Refused;
}

/** The highest of the gateway's level and of those that the account's roles ask for. */
export function levelOf(gateway: AuditLevel, roles: readonly BundleRole[]): AuditLevel {
  const wanted = roles.flatMap(({ auditLevel }) => (auditLevel === undefined ? [] : [auditLevel]));
  return [gateway, ...wanted].reduce((a, b) => (rank(b) > rank(a) ? b : a));
}

const rank = (level: AuditLevel): number => AUDIT_LEVELS.indexOf(level);

/**
 * The record of a request, or undefined where the level asks for none. Minimal: acts of administration and denials, who
 * and what. Standard: also changes that an account makes to itself, with the address in the personal part. Maximum: also
 * the rule that decided. No level records what an account sends, or to whom.
 */
export function recordOf(request: DecidedRequest, level: AuditLevel): AuditEvent | undefined {
  const { name, route, denial, refused } = request;
  if (denial === undefined && !isRecorded(route, refused, level)) return undefined;
  const reason = denial ?? (refused === undefined ? undefined : camelCase(refused.refused));
  return {
    type: typeOf(request),
    action: name,
    outcome: reason === undefined ? 'success' : 'failure',
    ...(reason === undefined ? {} : { reason }),
    ...(level === 'Maximum' ? { policy: { preset: ruleName(request.by), controls: [] } } : {}),
    actor: { kind: request.administrator ? 'administrator' : 'account', subject: request.account },
    ...(level === 'Minimal' ? {} : { personal: { userId: request.account, ip: request.address } }),
  };
}

function typeOf({ name, denial }: DecidedRequest): AuditEvent['type'] {
  if (denial !== undefined) return 'authorization';
  return isAdministration(name) ? 'system-change' : 'authentication';
}

function isRecorded({ recorded }: Route, refused: Refused | undefined, level: AuditLevel): boolean {
  if (recorded === 'Act') return true;
  return recorded === 'Change' && refused === undefined && level !== 'Minimal';
}

/** `user/0` as a name of records. */
const ruleName = (by: string): string => by.replaceAll(/[^A-Za-z0-9._:-]/g, ':');

const camelCase = (words: string): string =>
  words.replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
