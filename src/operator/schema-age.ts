/*
 * Which CRDs are older than this operator. The API server drops fields that an older one does not know: what a user
 * wrote would be read as if it were not there, and what the operator reports would be lost, both without an error. Each
 * CRD says its revision at the end of its description; /openapi/v3 shows that to every authenticated user, so that an
 * operator without any cluster-scoped permission can read it.
 */
import { ACCESS_ROLE } from '../kinds/access-role.gen.js';
import { RELAY_POOL } from '../kinds/relay-pool.gen.js';
import { RETENTION_POLICY } from '../kinds/retention-policy.gen.js';
import { SIGNALING_GATEWAY } from '../kinds/signaling-gateway.gen.js';
import type { Resource } from '../kubernetes/cluster.js';
import { commonConditions, setCondition, type StalledReason } from '../kubernetes/conditions.js';
import { API_VERSION, GROUP } from '../kubernetes/metadata.js';
import type { Condition, Plan } from '../kubernetes/plan.js';

/** A kind of ours, with the schema revision that this operator was built with. */
export interface KnownKind {
  readonly kind: string;
  readonly schemaRevision: number;
}

/** Every kind that has a room. */
export const KNOWN_KINDS: readonly KnownKind[] = [
  SIGNALING_GATEWAY,
  RELAY_POOL,
  ACCESS_ROLE,
  RETENTION_POLICY,
];

/** A kind whose CRD is older than the operator. */
export interface OutdatedKind {
  readonly kind: string;
  /** 0: the CRD says none. */
  readonly installed: number;
  readonly needed: number;
}

/** Where the index of /openapi/v3 lists our group. */
const OPENAPI_PATH = `apis/${API_VERSION}`;

/**
 * The path of the document about our kinds, which names the hash of its content; undefined while the API server has
 * none of them. `index` is what /openapi/v3 answered.
 */
export function documentPath(index: unknown): string | undefined {
  const url = field(field(field(index, 'paths'), OPENAPI_PATH), 'serverRelativeURL');
  return typeof url === 'string' && url.startsWith('/openapi/v3/') ? url : undefined;
}

/** Schema revisions by kind, as a document of /openapi/v3 has them; 0 for a kind of ours that says none. */
export function revisionsIn(document: unknown): ReadonlyMap<string, number> {
  const schemas = field(field(document, 'components'), 'schemas');
  const found = new Map<string, number>();
  for (const schema of Object.values(typeof schemas === 'object' && schemas ? schemas : {})) {
    const kinds = field(schema, 'x-kubernetes-group-version-kind');
    for (const one of Array.isArray(kinds) ? (kinds as unknown[]) : []) {
      const kind = field(one, 'kind');
      if (field(one, 'group') === GROUP && typeof kind === 'string')
        found.set(kind, revisionOf(field(schema, 'description')));
    }
  }
  return found;
}

/** The kinds among `revisions` that are older than `known`; one that is not served at all is not old. */
export function outdatedKinds(
  revisions: ReadonlyMap<string, number>,
  known: readonly KnownKind[] = KNOWN_KINDS,
): readonly OutdatedKind[] {
  return known.flatMap(({ kind, schemaRevision: needed }) => {
    const installed = revisions.get(kind);
    return installed === undefined || installed >= needed ? [] : [{ kind, installed, needed }];
  });
}

/** The kinds that the API server does not serve at all: nobody has installed their CRDs. */
export function absentKinds(
  revisions: ReadonlyMap<string, number>,
  known: readonly KnownKind[] = KNOWN_KINDS,
): readonly string[] {
  return known.filter(({ kind }) => !revisions.has(kind)).map(({ kind }) => kind);
}

/** What a resource is told while nothing is done for it: what to do first, so that a long list loses nothing of that. */
export function outdatedMessage(outdated: readonly OutdatedKind[]): string {
  const kinds = outdated.map(
    ({ kind, installed, needed }) => `${kind} has schema revision ${installed}, not ${needed}`,
  );
  return `Upgrade chart sallyport-cluster (helm upgrade), or apply crds/ of the operator's release: ${kinds.join('; ')}.`;
}

const REASON: StalledReason = 'CrdOutdated';

/**
 * The plan for a resource of a kind that is held: its objects stay as they are, and status keeps what it says but for
 * the three common conditions.
 */
export function heldPlan(resource: Resource, outdated: readonly OutdatedKind[], now: Date): Plan {
  const { generation = 0 } = resource.metadata;
  const message = outdatedMessage(outdated);
  const verdicts = commonConditions({ state: 'Stalled', reason: REASON, message });
  const conditions = verdicts.reduce<readonly Condition[]>(
    (list, verdict) => setCondition(list, verdict, { generation, now }),
    resource.status?.conditions ?? [],
  );
  return {
    apply: [],
    keep: [],
    prune: 'Nothing',
    status: { ...resource.status, observedGeneration: generation, conditions },
    events: [{ type: 'Warning', reason: REASON, note: message }],
  };
}

function revisionOf(description: unknown): number {
  if (typeof description !== 'string') return 0;
  return Number(/Schema revision ([0-9]{1,9})[.]$/.exec(description)?.[1] ?? 0);
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
