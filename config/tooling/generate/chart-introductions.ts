const NOTICE =
  'Written by `npm run generate` from `values.yaml` and `config/tooling/generate/chart-introductions.ts`. Do not edit.';

/** The beginning of each chart's README; the table of its values follows. */
export const CHART_INTRODUCTIONS: Readonly<Record<string, string>> = {
  sallyport: `# Chart sallyport

${NOTICE}

The operator of Sallyport: two replicas as hardened as every pod that it renders, with the permissions of
[docs/rbac.md](../../docs/rbac.md) and nothing else. Kubernetes 1.33 to 1.36. [docs/install.md](../../docs/install.md) has the
profiles, upgrade and uninstall step by step.

    helm install sallyport charts/sallyport --namespace sallyport-system --create-namespace

\`cluster.install=true\` (the default) brings chart [sallyport-cluster](../sallyport-cluster/README.md) with it; \`false\` renders no
cluster-scoped object at all. Every value is checked: an unknown or bad one ends the command with its path, and values that
cannot hold together with a sentence that says what to write instead.
`,
  'sallyport-cluster': `# Chart sallyport-cluster

${NOTICE}

What a cluster administrator installs once: the CRDs of Sallyport, a policy that refuses to replace one by an older one, and
the roles that let people who may view, edit or administer a namespace do the same with its Sallyport resources. Kubernetes
1.33 to 1.36. Chart [sallyport](../sallyport/README.md) brings it along unless \`cluster.install\` is false.

    helm install sallyport-cluster charts/sallyport-cluster --namespace sallyport-system --create-namespace

CRDs are templates of this chart with \`helm.sh/resource-policy: keep\`: \`helm upgrade\` upgrades them, \`helm uninstall\` leaves
them and every resource alone.

| role | joins | may |
| --- | --- | --- |
| \`sallyport-view\` | \`view\` | read all four kinds |
| \`sallyport-edit\` | \`edit\` | write SignalingGateways and RelayPools |
| \`sallyport-admin\` | \`admin\` | write AccessRoles and RetentionPolicies, too |
`,
};
