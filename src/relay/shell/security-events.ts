/*
 * What a relay puts on record (architecture, 9: audit). A relay knows no account; no record holds a session, a lease, a
 * peer or an address. Which gateway it was is in the resource.
 */
import type { AuditEvent } from '../../audit/record.js';
import type { RefusedEndpoint } from './peer-identity.js';
import type { RelayFile } from './relay.files.js';

/** A resource of ours by namespace and name. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

const API = 'sallyport.dev/v1alpha1';
const gateway = ({ namespace, name }: Named) => ({
  gvk: `${API}/SignalingGateway`,
  ns: namespace,
  name,
});
const relayPool = ({ namespace, name }: Named) => ({
  gvk: `${API}/RelayPool`,
  ns: namespace,
  name,
});
const actorOf = ({ namespace, name }: Named) =>
  ({ kind: 'program', subject: `${namespace}/${name}` }) as const;

/** `unknown-authority` as records write reasons: `UnknownAuthority`. */
const camelCase = (reason: string): string =>
  reason.replace(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());

/** Someone answered in the place of a gateway who is not that gateway. */
export const endpointRefused = (named: Named, why: RefusedEndpoint): AuditEvent => ({
  type: 'authentication',
  action: 'registration.refuse',
  outcome: 'failure',
  reason: camelCase(why),
  actor: { kind: 'anonymous' },
  resource: gateway(named),
});

/** The relay is registered at a gateway. */
export const registeredAt = (named: Named): AuditEvent => ({
  type: 'authentication',
  action: 'registration.open',
  outcome: 'success',
  actor: actorOf(named),
  resource: gateway(named),
});

/** A gateway ended leases or keys of its own. */
export const leasesRevoked = (named: Named): AuditEvent => ({
  type: 'authorization',
  action: 'lease.revoke',
  outcome: 'success',
  actor: actorOf(named),
  resource: gateway(named),
});

/** Files of the pool that were taken over or not. */
export const fileLoaded = (
  pool: Named,
  file: RelayFile,
  outcome: 'success' | 'failure',
): AuditEvent => ({
  type: 'system-change',
  action: `${file}.load`,
  outcome,
  ...(outcome === 'failure' && { reason: 'InvalidFile' }),
  actor: { kind: 'program' },
  resource: relayPool(pool),
});

/** The relay begins to drain, and at whose wish; or does not, because the wish was not that gateway's to have. */
export const drainAsked = (
  pool: Named,
  by: Named | 'Signal' | 'Command',
  outcome: 'success' | 'failure',
): AuditEvent => ({
  type: 'system-change',
  action: 'relay.drain',
  outcome,
  reason: typeof by === 'string' ? by : outcome === 'success' ? 'Gateway' : 'ForeignGateway',
  actor: typeof by === 'string' ? { kind: 'program' } : actorOf(by),
  resource: relayPool(pool),
});
