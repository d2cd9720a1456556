/*
 * What stops while audit records cannot be written. Without an AuditLog there is one place to write them, standard
 * output, and nothing to encrypt a buffer to: `BufferEncrypted` does what `DenyNewSessions` does, and says so.
 */
import type { GatewaySettings } from './settings.js';

/** What stops: nobody logs in anew, or nothing is answered at all. */
export type AuditStop = 'nothing' | 'new-sessions' | 'everything';

type OnFailure = GatewaySettings['audit']['onFailure'];

/** When to come back after records could not be written, in seconds. */
export const AUDIT_RETRY_SECONDS = 5;

/** What stops now. `fails`: the last record could not be written. */
export function auditStop(onFailure: OnFailure, fails: boolean): AuditStop {
  if (!fails) return 'nothing';
  return onFailure === 'Block' ? 'everything' : 'new-sessions';
}

/** Why nobody can log in, for /readyz; none while records are written. */
export const auditProblem = (stop: AuditStop): readonly string[] =>
  stop === 'nothing' ? [] : [`audit: records cannot be written, so ${STOPPED[stop]}`];

/** What the settings ask for and this gateway cannot do, for /readyz. */
export const auditNotes = (onFailure: OnFailure): readonly string[] =>
  onFailure === 'BufferEncrypted'
    ? ['audit: onFailure BufferEncrypted needs an AuditLog; it does what DenyNewSessions does']
    : [];

const STOPPED = {
  'new-sessions': 'no new session begins',
  everything: 'nothing is answered',
} as const satisfies Record<Exclude<AuditStop, 'nothing'>, string>;
