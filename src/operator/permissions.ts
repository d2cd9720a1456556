/*
 * What the operator may do, and why: the one list from which RBAC rules (config/rbac, the charts) and docs/rbac.md
 * are written. A test replays the API server's audit log and fails on a verb that is granted here and never used, and
 * on a call that was refused. There is no wildcard and no escalate, bind, impersonate, exec, attach, port-forward,
 * proxy or token request.
 */

/** RBAC verbs that the operator may hold at most. */
export const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
export type PermissionVerb = (typeof VERBS)[number];

/**
 * Where a permission holds. `Watched`: in each namespace that the operator serves. `Operator`: in its own namespace.
 * `Cluster`: on cluster-scoped objects; the named-namespaces profile has none of these and works without.
 */
export type PermissionScope = 'Watched' | 'Operator' | 'Cluster';

/** Verbs on one resource, each with its reason. */
export interface Permission {
  /** '' for the core group. */
  readonly group: string;
  /** Plural name, with a subresource after a slash. */
  readonly resource: string;
  readonly scope: PermissionScope;
  /** Only these names, where the verb allows that. */
  readonly names?: readonly string[];
  readonly verbs: Readonly<Partial<Record<PermissionVerb, string>>>;
  /** The API may be absent from a cluster (cert-manager, prometheus-operator). */
  readonly optional?: true;
}

const GROUP = 'sallyport.dev';

const KINDS = ['signalinggateways', 'relaypools', 'accessroles', 'retentionpolicies'] as const;

const ownKinds: readonly Permission[] = KINDS.flatMap((resource): Permission[] => [
  {
    group: GROUP,
    resource,
    scope: 'Watched',
    verbs: {
      list: 'The cache starts with all resources of this kind.',
      watch: 'A change of a resource is acted upon when it happens.',
    },
  },
  {
    group: GROUP,
    resource: `${resource}/status`,
    scope: 'Watched',
    verbs: { patch: 'Conditions and everything else that the operator reports stand in status.' },
  },
]);

interface ChildRules {
  readonly group: string;
  readonly resource: string;
  readonly makes: string;
  readonly prunes?: string;
  readonly optional?: true;
}

/** Kinds of objects that are made for a resource. `prunes` says when one is no longer wanted although its resource is. */
const CHILDREN: readonly ChildRules[] = [
  {
    group: '',
    resource: 'configmaps',
    makes: 'settings, relay directory and policy bundle of a gateway, settings of a pool',
    prunes:
      'a pool or gateway that no longer permits the other loses its copy of keys and certificates',
  },
  {
    group: '',
    resource: 'services',
    makes: 'addresses of gateways and one per relay replica',
    prunes: 'a relay replica that is gone keeps no address',
  },
  { group: '', resource: 'serviceaccounts', makes: 'an identity per program, without a token' },
  { group: 'apps', resource: 'deployments', makes: 'gateways that keep their state elsewhere' },
  { group: 'apps', resource: 'statefulsets', makes: 'relays, and gateways with embedded storage' },
  {
    group: 'apps',
    resource: 'controllerrevisions',
    makes: 'the last good pod template, for the way back',
    prunes: 'a revision that nobody can go back to is removed',
  },
  {
    group: 'networking.k8s.io',
    resource: 'networkpolicies',
    makes: 'default deny in both directions for every pod of ours',
  },
  {
    group: 'networking.k8s.io',
    resource: 'ingresses',
    makes: 'a trusted ingress in front of a gateway',
    prunes: 'spec.ingress was removed',
  },
  {
    group: 'policy',
    resource: 'poddisruptionbudgets',
    makes: 'node drains that take one pod at a time',
  },
  {
    group: 'autoscaling',
    resource: 'horizontalpodautoscalers',
    makes: 'autoscaling of a gateway or pool',
    prunes: 'spec.autoscaling was replaced by spec.replicas',
  },
  {
    group: 'cert-manager.io',
    resource: 'certificates',
    makes: 'the public certificate of a gateway',
    prunes: 'the gateway takes its certificate from elsewhere now',
    optional: true,
  },
  {
    group: 'monitoring.coreos.com',
    resource: 'servicemonitors',
    makes: 'scraping of gateways and relays',
    prunes: 'observability.serviceMonitor was switched off',
    optional: true,
  },
];

const children: readonly Permission[] = CHILDREN.map(
  ({ group, resource, makes, prunes, optional }): Permission => ({
    group,
    resource,
    scope: 'Watched',
    ...(optional && { optional }),
    verbs: {
      list: 'The cache starts with the objects that carry our label.',
      watch: 'An edit by somebody else is seen when it happens, and repaired.',
      get: 'An object of that name that somebody else made is looked at before it is refused or adopted.',
      create: `Needed for: ${makes}.`,
      patch: 'Server-side apply: only the fields that are ours.',
      ...(prunes !== undefined && { delete: `Pruned when ${prunes}.` }),
    },
  }),
);

const special: readonly Permission[] = [
  {
    group: '',
    resource: 'secrets',
    scope: 'Watched',
    verbs: {
      get: 'A Secret that a user names (TLS, database) is read by name; keys of ours are read when they rotate.',
      list: 'The cache of our own Secrets starts with those that carry our label; their data is kept as a hash.',
      watch: 'A Secret of ours that somebody edits is seen and repaired.',
      create: 'Needed for: lease keys, certificates and the CA of a namespace.',
      patch: 'Rotation writes the next key and retires the last.',
      delete:
        'The CA of a namespace goes when nothing of ours is left there; it has no owner to follow.',
    },
  },
  {
    group: 'events.k8s.io',
    resource: 'events',
    scope: 'Watched',
    verbs: { create: 'What happened to a resource stands in its events.' },
  },
  {
    group: '',
    resource: 'namespaces',
    scope: 'Cluster',
    verbs: {
      list: 'Namespaces that a label selects are served; one without Pod Security labels is reported.',
      watch: 'A namespace that gains or loses the label is taken up or dropped at once.',
    },
  },
];

/** Leader election. A create cannot be limited to a name (the name is not known before), so it stands apart. */
const election = (leaseName: string): readonly Permission[] => [
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    scope: 'Operator',
    verbs: { create: 'The first replica makes the lease of the leader.' },
  },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    scope: 'Operator',
    names: [leaseName],
    verbs: {
      get: 'A replica looks who leads.',
      update: 'The leader renews the lease and gives it back when it stops.',
    },
  },
];

/** Everything that the operator may do, with the lease of this name. */
export function permissionsOf(leaseName: string): readonly Permission[] {
  return [...ownKinds, ...children, ...special, ...election(leaseName)];
}

/** Whether the operator may watch this kind in the namespaces that it serves; it asks for no other. */
export function mayWatch(apiVersion: string, resource: string): boolean {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return [...ownKinds, ...children, ...special].some(
    (one) => one.group === group && one.resource === resource && 'watch' in one.verbs,
  );
}
