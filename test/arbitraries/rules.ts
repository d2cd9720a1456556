import type { Part } from './schema.js';

/*
 * What the CEL rules of crds/ ask for between fields. Each function takes a value that satisfies the schema and
 * gives one that satisfies the rules, without losing variety: it drops or orders fields, it never writes constants
 * where a random value would do.
 */

/** `part` without the fields named. */
export function without(part: Part, ...names: readonly string[]): Part {
  return Object.fromEntries(Object.entries(part).filter(([name]) => !names.includes(name)));
}

/** The two numbers, the smaller one first, where both are there. */
export function ordered(small: string, large: string): (part: Part) => Part {
  return (part) => {
    const [a, b] = [part[small], part[large]];
    if (typeof a !== 'number' || typeof b !== 'number' || a <= b) return part;
    return { ...part, [small]: b, [large]: a };
  };
}

/** All of the fields, or none of them. */
export function together(...names: readonly string[]): (part: Part) => Part {
  return (part) => (names.every((name) => name in part) ? part : without(part, ...names));
}

/** At most one of the fields that are there: which one depends on the rest of the value. */
export function oneOf(part: Part, names: readonly string[], pick: number): Part {
  const there = names.filter((name) => name in part);
  const kept = there[pick % Math.max(there.length, 1)];
  return without(part, ...there.filter((name) => name !== kept));
}

/** A number that is the same for the same value: rules choose by it, so that a run can be repeated. */
export function weightOf(part: Part): number {
  return Buffer.from(JSON.stringify(part)).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
}

/** Exactly one source; `internal` when none was made. */
export function tls(part: Part): Part {
  const chosen = oneOf(part, ['secretRef', 'certManager', 'internal'], weightOf(part));
  return Object.keys(chosen).length === 0 ? { internal: {} } : chosen;
}

/** LoadBalancer fields only with a LoadBalancer. */
export function exposure(part: Part): Part {
  return part['type'] === 'LoadBalancer'
    ? part
    : without(part, 'sourceRanges', 'allocateNodePorts');
}

/** Either a network or pods. */
export function peer(part: Part): Part {
  const chosen = oneOf(part, ['cidr', 'podLabels'], weightOf(part));
  if ('podLabels' in chosen) return chosen;
  return without('cidr' in chosen ? chosen : { ...chosen, cidr: '198.51.100.0/24' }, 'namespace');
}

/** A value only with Equal, seconds only with NoExecute. */
export function toleration(part: Part): Part {
  const valued = part['operator'] === 'Exists' ? without(part, 'value') : part;
  return valued['effect'] === 'NoExecute' ? valued : without(valued, 'tolerationSeconds');
}

/** Requests without limits or limits without requests: both orders of quantities are tested by examples. */
export function resources(part: Part): Part {
  return oneOf(part, ['requests', 'limits'], weightOf(part));
}

/** A second factor is asked for only where the factors are named. */
export function secondFactors(part: Part): Part {
  return 'allowed' in part
    ? part
    : { ...part, ...('requiredFor' in part && { requiredFor: 'Nobody' }) };
}

/** Approval and Invite only with somebody who does it. */
export function authentication(part: Part): Part {
  const administrators = part['administrators'];
  const staffed = Array.isArray(administrators) && administrators.length > 0;
  return staffed || !('registration' in part) ? part : { ...part, registration: 'Open' };
}

/** The interval is longer than the overlap. */
export function keyRotation(part: Part): Part {
  const [every, overlap] = [part['everySeconds'], part['overlapSeconds']];
  if (typeof every !== 'number' || typeof overlap !== 'number' || every > overlap) return part;
  return { ...part, everySeconds: overlap + 900 };
}

/** The database with PostgreSQL, the volume with Embedded. */
export function storage(part: Part): Part {
  if (!('postgresql' in part)) return { ...part, type: 'Embedded' };
  return { ...without(part, 'embedded'), type: 'PostgreSQL' };
}

/** The servers with NATS. */
export function bus(part: Part): Part {
  return { ...part, type: 'nats' in part ? 'NATS' : 'InProcess' };
}

/** What the rules of a SignalingGateway's whole spec ask for. */
export function gatewaySpec(part: Part): Part {
  const scaled = replicasFor(
    part,
    'postgresql' in partOf(part, 'storage') && 'nats' in partOf(part, 'bus'),
  );
  const overlapped = overlapFor(scaled);
  if (!('ingress' in overlapped)) return overlapped;
  return without(
    'trustedProxies' in overlapped
      ? without(overlapped, 'exposure')
      : without(overlapped, 'ingress'),
  );
}

function replicasFor(part: Part, several: boolean): Part {
  if (several) return oneOf(part, ['replicas', 'autoscaling'], weightOf(part));
  const single = without(part, 'autoscaling');
  return 'replicas' in single ? { ...single, replicas: 1 } : single;
}

function overlapFor(part: Part): Part {
  const lifetime = partOf(part, 'leases')['lifetimeSeconds'];
  const overlap = partOf(part, 'keyRotation')['overlapSeconds'];
  if (typeof lifetime !== 'number' || typeof overlap !== 'number') return part;
  return overlap >= 2 * lifetime + 180 ? part : without(part, 'leases');
}

/** The object at `name`; empty when there is none. */
export function partOf(part: Part, name: string): Part {
  return (part[name] ?? {}) as Part;
}

/** What the rules of a RelayPool's whole spec ask for. */
export function poolSpec(part: Part): Part {
  const scaled = oneOf(part, ['replicas', 'autoscaling'], weightOf(part));
  const fallback = partOf(scaled, 'fallback');
  const port = (scaled['port'] ?? 3478) as number;
  return (fallback['port'] ?? 5349) === port ? without(scaled, 'port', 'fallback') : scaled;
}

/** The soft rate at most as high as the hard one; both, because each has a default. */
export function capacity(part: Part): Part {
  return ordered(
    'softKbpsPerSession',
    'hardKbpsPerSession',
  )(together('softKbpsPerSession', 'hardKbpsPerSession')(part));
}

/** Either names or a selector. */
export function gateways(part: Part): Part {
  const chosen = oneOf(part, ['names', 'selector'], weightOf(part));
  return Object.keys(chosen).length === 0 ? { selector: { matchLabels: {} } } : chosen;
}

/** The verbs of each resource (the rule of permissions in access-roles.yaml). */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  Chat: ['Send', 'Receive'],
  File: ['Send', 'Receive'],
  Input: ['Send', 'Receive'],
  Call: ['Start', 'Join'],
  Account: ['Read', 'Approve', 'Lock', 'Unlock', 'Delete'],
  Device: ['Read', 'Approve', 'Revoke'],
  Session: ['Read', 'Revoke'],
  Lease: ['Read', 'Revoke'],
  SecondFactor: ['Read', 'Reset'],
  Invite: ['Create', 'Read', 'Revoke'],
  Relay: ['Read'],
  AuditRecord: ['Read', 'Export'],
};

/** Verbs that the resource has. */
export function permission(part: Part): Part {
  const verbs = VERBS[part['resource'] as string] ?? [];
  const start = weightOf(part) % verbs.length;
  return { ...part, verbs: verbs.slice(start) };
}

/** A hardware key only where a factor is required and WebAuthn counts. */
export function mfa(part: Part): Part {
  const allowed = part['allowed'];
  const possible =
    part['required'] === true && (!Array.isArray(allowed) || allowed.includes('WebAuthn'));
  return possible ? part : without(part, 'hardwareKeyRequired');
}

/** Short random names meet: a role that conflicts with itself is refused. */
export function withoutItself<
  Made extends { metadata: { name: string }; conflictsWith?: readonly string[] },
>(made: Made): Made {
  const { metadata, conflictsWith } = made;
  if (!conflictsWith?.includes(metadata.name)) return made;
  return { ...made, conflictsWith: conflictsWith.filter((name) => name !== metadata.name) };
}

const BETWEEN_PEOPLE: readonly unknown[] = ['Chat', 'Call', 'File', 'Input'];

/** What the rules of an AccessRole's whole spec ask for. */
export function roleSpec(part: Part): Part {
  const resources = (part['permissions'] as readonly Part[]).map(({ resource }) => resource);
  const filed = resources.includes('File') ? part : without(part, 'files');
  if (resources.every((resource) => BETWEEN_PEOPLE.includes(resource))) {
    return filed['assignment'] === 'Everyone' ? without(filed, 'subjects') : filed;
  }
  const { mfa: factors, ...rest } = without(filed, 'assignment');
  return { ...rest, mfa: { ...(factors as Part | undefined), required: true } };
}

/** Limits in order, or the personal part and what hangs on accounts without those that would contradict. */
export function classes(part: Part): Part {
  const some = Object.keys(part).length === 0 ? { session: {} } : part;
  const most = partOf(some, 'account')['atMostSeconds'];
  const skeleton = partOf(some, 'auditSkeleton')['atMostSeconds'];
  const personal = partOf(some, 'auditPersonal')['atMostSeconds'];
  const late = (name: string): boolean =>
    typeof most === 'number' && Number(partOf(some, name)['atLeastSeconds'] ?? 0) > most;
  const dropped = ['device', 'session'].filter(late);
  const sealed = skeleton === undefined || Number(personal ?? Infinity) <= Number(skeleton);
  return without(some, ...dropped, ...(sealed ? [] : ['auditPersonal']));
}

/** What the rules of a RetentionPolicy's whole spec ask for. */
export function retentionSpec(part: Part): Part {
  const backup = Number(partOf(partOf(part, 'classes'), 'backup')['atLeastSeconds'] ?? 0);
  const erased = partOf(part, 'secureDeletion')['cryptographicErasure'] !== false;
  if (!erased || backup <= 2_592_000) return part;
  return {
    ...part,
    secureDeletion: { ...partOf(part, 'secureDeletion'), cryptographicErasure: false },
  };
}
