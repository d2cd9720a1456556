/*
 * values.schema.json of both charts. Bounds of what becomes a setting of the operator are those of the setting itself
 * (src/operator/settings.ts), so that a value which renders is one that the operator takes.
 */
import { operatorSettingsSchema } from '../../../src/operator/settings.js';

/** JSON Schema: of a setting (typebox) or written here. */
export type ValueSchema = object;
type Properties = Readonly<Record<string, ValueSchema>>;

const settings = operatorSettingsSchema.properties;
const scope = settings.scope.properties;
const images = settings.images.properties;
const cluster = settings.cluster.properties;
const image = settings.renders.items.properties.image.properties;

const map = (properties: Properties): ValueSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
});
const words = (...values: readonly string[]): ValueSchema => ({ type: 'string', enum: values });
const switched: ValueSchema = { type: 'boolean' };
const texts = (maxProperties: number): ValueSchema => ({
  type: 'object',
  maxProperties,
  additionalProperties: { type: 'string', maxLength: 1024 },
});
/** A value of `schema`, or nothing. */
const orEmpty = (schema: ValueSchema): ValueSchema => ({
  ...schema,
  minLength: 0,
  pattern: `^$|${'pattern' in schema ? String(schema.pattern) : ''}`,
});
const whole = (minimum: number, maximum: number): ValueSchema => ({
  type: 'integer',
  minimum,
  maximum,
});

const label: ValueSchema = { ...scope.namespaces.items };
const dnsName: ValueSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
};
const metadata = map({ labels: texts(32), annotations: texts(32) });
/** What Helm hands to every chart, whatever its own values. */
const fromHelm: Properties = { global: { type: 'object' } };

const quantity: ValueSchema = {
  type: ['string', 'integer'],
  pattern: '^[0-9]+([.][0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$',
};
const amounts = map({ cpu: quantity, memory: quantity, 'ephemeral-storage': quantity });

const toleration = map({
  key: { type: 'string', maxLength: 316 },
  operator: words('Exists', 'Equal', 'Lt', 'Gt'),
  value: { type: 'string', maxLength: 63 },
  effect: words('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
  tolerationSeconds: whole(0, 2_147_483_647),
});

const previousRender: ValueSchema = {
  ...map({ version: whole(1, 1_000_000), tag: image.tag, digest: image.digest }),
  required: ['version', 'tag', 'digest'],
};

/** Registry with an optional port and path, as `images.allowedRepositories` has it. */
const registry: ValueSchema = { ...images.allowedRepositories.items };
const path: ValueSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  pattern: '^[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*$',
};

const leaderElection = settings.leaderElection.properties;

const operatorValues: Properties = {
  ...fromHelm,
  cluster: map({ install: switched, restrictWorkloads: switched, ...cluster }),
  // Checked by the schema of that chart itself.
  'sallyport-cluster': { type: 'object' },
  installId: orEmpty(label),
  scope: map(scope),
  rbac: map({ clusterRole: words('Create', 'Existing') }),
  image: map({
    registry,
    repository: path,
    tag: orEmpty(image.tag),
    digest: orEmpty(image.digest),
    pullPolicy: words('', 'IfNotPresent', 'Always'),
    pullSecrets: images.pullSecrets,
  }),
  images: map({
    allowedRepositories: images.allowedRepositories,
    pullPolicy: settings.imagePullPolicy,
  }),
  renderVersion: settings.renders.items.properties.version,
  previousRenders: { type: 'array', maxItems: 2, items: previousRender },
  replicas: whole(1, 5),
  workers: settings.workers,
  logLevel: settings.logLevel,
  leaderElection: map({
    leaseSeconds: leaderElection.leaseSeconds,
    renewSeconds: leaderElection.renewSeconds,
    retrySeconds: leaderElection.retrySeconds,
  }),
  client: map(settings.client.properties),
  keys: map(settings.keys.properties),
  shutdownDeadlineSeconds: settings.shutdownDeadlineSeconds,
  oldSpaceMegabytes: whole(64, 16_384),
  resources: map({ requests: amounts, limits: amounts }),
  hardening: map({
    appArmor: words('', 'RuntimeDefault'),
    userNamespaces: switched,
    strictSupplementalGroups: switched,
    runtimeClassName: orEmpty(dnsName),
  }),
  scheduling: map({
    nodeSelector: texts(16),
    tolerations: { type: 'array', maxItems: 16, items: toleration },
    priorityClassName: orEmpty(dnsName),
  }),
  networkPolicy: map({
    monitoringNamespace: orEmpty(label),
    apiServerPorts: { type: 'array', minItems: 1, maxItems: 8, items: whole(1, 65_535) },
  }),
  monitoring: map({
    serviceMonitor: words('Auto', 'Enabled', 'Disabled'),
    labels: texts(16),
  }),
  metadata,
};

const clusterValues: Properties = {
  ...fromHelm,
  crds: map({ install: switched, refuseDowngrade: switched }),
  aggregatedRoles: switched,
  priorityClass: map({ create: switched, name: dnsName, value: whole(-2_147_483_648, 1e9) }),
  operatorRole: map({ create: switched, name: dnsName, namespace: label, serviceAccount: dnsName }),
  metadata,
};

/** Schemas by the name of the chart. */
export const CHART_SCHEMAS: Readonly<Record<string, ValueSchema>> = {
  sallyport: map(operatorValues),
  'sallyport-cluster': map(clusterValues),
};

/** The text of values.schema.json. Defaults stand in values.yaml and nowhere else. */
export function schemaText(schema: ValueSchema): string {
  const withoutDefaults = (key: string, value: unknown): unknown =>
    key === 'default' ? undefined : value;
  const draft = 'http://json-schema.org/draft-07/schema#';
  return `${JSON.stringify({ $schema: draft, ...schema }, withoutDefaults, 2)}\n`;
}
