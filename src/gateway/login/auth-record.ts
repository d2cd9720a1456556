/*
 * Counts and records what became of logins and second factors: the two metrics of alerting, and one audit record each.
 */
import type { AuditEmitter } from '../../audit/emitter.js';
import type { Metrics } from '../../runtime/metrics.js';
import {
  AUTH_METHODS,
  AUTH_REASON_LABELS,
  LOGIN_FAILURES,
  type AuthMethod,
  type LoginFailure,
} from './outcomes.js';

/** What else is recorded of accounts: noun, verb. A closed list. */
export type AccountEvent =
  | 'account.register'
  | 'device.enrol'
  | 'device.revoke'
  | 'account.lock-out'
  | 'factor.detect-clone'
  | 'session.begin'
  | 'session.resume';

/** Where logins and second factors are counted and recorded. */
export interface AuthRecord {
  succeeded(method: AuthMethod, account: string): void;
  /** `account` only after a valid device signature: before it nobody knows whose it is. */
  failed(method: AuthMethod, why: LoginFailure, account?: string): void;
  /** Counted, and not recorded: an address that is over its limit could fill the audit log. */
  throttled(): void;
  happened(event: AccountEvent, account: string): void;
  /** The Nth failure locked the account. */
  lockedOut(account: string): void;
}

/** Declares both metrics, every combination at 0. */
export function createAuthRecord(metrics: Metrics, audit: AuditEmitter): AuthRecord {
  const attempts = metrics.counter({
    name: 'sallyport_auth_attempts_total',
    help: 'Logins by device key and proofs of second factors, by what became of them.',
    labelNames: ['outcome', 'method', 'reason'],
  });
  const lockouts = metrics.counter({
    name: 'sallyport_auth_lockouts_total',
    help: 'Accounts that failures of the second factor have locked.',
  });
  for (const method of AUTH_METHODS)
    for (const reason of AUTH_REASON_LABELS)
      attempts.inc({ outcome: reason === 'none' ? 'success' : 'failure', method, reason }, 0);
  lockouts.inc({}, 0);

  const record = (event: Parameters<AuditEmitter['emit']>[0]) => {
    audit.emit(event);
  };
  const happened = (action: AccountEvent, account: string) => {
    record({
      type: 'authentication',
      action,
      outcome: action === 'factor.detect-clone' ? 'failure' : 'success',
      actor: { kind: 'account', subject: account },
    });
  };
  return {
    succeeded: (method, account) => {
      attempts.inc({ outcome: 'success', method, reason: 'none' });
      record({
        type: 'authentication',
        action: actionOf(method, 'accept'),
        outcome: 'success',
        actor: { kind: 'account', subject: account },
      });
    },
    failed: (method, why, account) => {
      attempts.inc({ outcome: 'failure', method, reason: LOGIN_FAILURES[why].label });
      record({
        type: 'authentication',
        action: actionOf(method, 'refuse'),
        outcome: 'failure',
        reason: why,
        actor:
          account === undefined ? { kind: 'anonymous' } : { kind: 'account', subject: account },
      });
    },
    throttled: () => {
      attempts.inc({ outcome: 'failure', method: 'device-key', reason: 'rate-limited' });
    },
    happened,
    lockedOut: (account) => {
      lockouts.inc();
      happened('account.lock-out', account);
    },
  };
}

const actionOf = (method: AuthMethod, verb: 'accept' | 'refuse') =>
  method === 'device-key' ? `login.${verb}` : `second-factor.${verb}`;
