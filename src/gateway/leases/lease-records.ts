/*
 * What is put on record of leases, keys and relays (architecture, 9: audit). Leases are recorded per account as a count
 * for each hour: a record of each one would rebuild who meets whom. Only a revocation names a lease, and no account with
 * it.
 */
import type { AuditEvent } from '../../audit/record.js';
import type { RelayAnomaly } from '../network-anomalies.js';
import type { RegistrationRefusal } from './anomalies.js';
import { poolOfRelay } from './relay-directory.js';

/** Why leases end before their time: a closed list, a metric label and the reason of a record. */
export const REVOCATION_REASONS = [
  'Returned',
  'SessionEnded',
  'AdministratorRevoked',
  'KeyRevoked',
] as const;
/** One of REVOCATION_REASONS. */
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** NAMESPACE and name of a gateway. */
export interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

const API = 'sallyport.dev/v1alpha1';
const ofGateway = ({ namespace, name }: GatewayName) => ({
  gvk: `${API}/SignalingGateway`,
  ns: namespace,
  name,
});
const poolOf = (rid: string) => {
  const [ns = '', name = ''] = poolOfRelay(rid).split('/');
  return { gvk: `${API}/RelayPool`, ns, name };
};
const camelCase = (words: string): string =>
  words.replace(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());

/** Leases that one account was given in an hour that is over. */
export const leasesIssued = (account: string, count: number, gateway: GatewayName): AuditEvent => ({
  type: 'authorization',
  action: 'lease.issue',
  outcome: 'success',
  reason: 'HourlyCount',
  count,
  actor: { kind: 'account', subject: account },
  resource: ofGateway(gateway),
});

/** A lease was ended; `administrator` is who did it, absent where nobody in particular did. */
export const leaseRevoked = (
  jti: string,
  reason: RevocationReason,
  administrator?: string,
): AuditEvent => ({
  type: 'authorization',
  action: 'lease.revoke',
  outcome: 'success',
  reason,
  actor:
    administrator === undefined
      ? { kind: 'program' }
      : { kind: 'administrator', subject: administrator },
  resource: { gvk: 'sallyport/Lease', name: `jti:${jti}` },
});

/** Another key signs leases from now on. */
export const keyRotated = (before: string, after: string, gateway: GatewayName): AuditEvent => ({
  type: 'system-change',
  action: 'lease-key.rotate',
  outcome: 'success',
  actor: { kind: 'program' },
  resource: ofGateway(gateway),
  chg: { before: `kid:${before}`, after: `kid:${after}` },
});

/** A key, and every lease that it signed, is worth nothing from now on. */
export const keyRevoked = (kid: string, gateway: GatewayName): AuditEvent => ({
  type: 'system-change',
  action: 'lease-key.revoke',
  outcome: 'success',
  actor: { kind: 'program' },
  resource: ofGateway(gateway),
  chg: { before: `kid:${kid}` },
});

/** A relay has registered, or was refused. */
export const relayRegistered = (rid: string, refused?: RegistrationRefusal): AuditEvent => ({
  type: 'authentication',
  action: refused === undefined ? 'relay.register' : 'relay.refuse',
  outcome: refused === undefined ? 'success' : 'failure',
  ...(refused !== undefined && { reason: camelCase(refused) }),
  actor: { kind: 'program', subject: rid },
  resource: poolOf(rid),
});

/** Something began at a relay that should not be. */
export const relayAnomaly = (kind: RelayAnomaly, rid: string): AuditEvent => ({
  type: 'incident',
  action: 'relay.anomaly',
  outcome: 'failure',
  reason: camelCase(kind),
  actor: { kind: 'program', subject: rid },
  resource: poolOf(rid),
});
