import type { AuditEntry as ServerEntry } from './bed/audit-log.js';

/** One write, as both sides can tell it. */
interface Write {
  readonly verb: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly succeeded: boolean;
}

const VERBS: Readonly<Record<string, string>> = {
  apply: 'patch',
  create: 'create',
  replace: 'update',
  delete: 'delete',
};

/** Plural names are the kind's own in lower case with an ending; the few that differ. */
const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  RetentionPolicy: 'retentionpolicies',
  Ingress: 'ingresses',
};

/**
 * What only one side knows: writes in the API server's audit log without a record (`unrecorded`), and records of writes
 * that the API server never saw (`unmade`). Renewals of the leader's lease are not recorded (docs/operations.md).
 */
export function unmatchedWrites(
  entries: readonly ServerEntry[],
  records: readonly Readonly<Record<string, unknown>>[],
): { readonly unrecorded: string[]; readonly unmade: string[] } {
  const made = entries.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb)).map(ofServer);
  const recorded = records.map(ofRecord);
  const leases = (write: string) => write.startsWith('update leases');
  return {
    unrecorded: without(
      made.filter((one) => !leases(one)),
      recorded,
    ),
    unmade: without(
      recorded.filter((one) => !leases(one)),
      made,
    ),
  };
}

/** `items` without one occurrence for each of `others`. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return items.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}

const text = ({ verb, plural, namespace, name, succeeded }: Write): string =>
  `${verb} ${plural} ${namespace}/${name} ${succeeded ? 'ok' : 'failed'}`;

const NO_OBJECT = { resource: '', subresource: '', namespace: '', name: '' };

function ofServer({ verb, objectRef, responseStatus }: ServerEntry): string {
  const { resource, subresource, namespace, name } = { ...NO_OBJECT, ...objectRef };
  const code = responseStatus?.code ?? 0;
  return text({
    verb,
    plural: subresource === '' ? resource : `${resource}/${subresource}`,
    namespace,
    // Names of events are made by the operator and stand in the body, which this log does not have.
    name: verb === 'create' ? '' : name,
    // What is gone already is deleted, whoever did it.
    succeeded: code < 400 || (verb === 'delete' && code === 404),
  });
}

function ofRecord(record: Readonly<Record<string, unknown>>): string {
  const { action, outcome, resource } = record as {
    readonly action: string;
    readonly outcome: string;
    readonly resource: { readonly gvk: string; readonly ns?: string; readonly name: string };
  };
  const [what, deed] = action.split('.') as [string, string];
  const kind = resource.gvk.split('/').at(-1)!;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  const verb = VERBS[deed] ?? deed;
  return text({
    verb,
    plural: what === 'status' ? `${plural}/status` : plural,
    namespace: resource.ns ?? '',
    name: verb === 'create' ? '' : resource.name,
    succeeded: outcome === 'success',
  });
}
