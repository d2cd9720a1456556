/*
 * The settings of the operator: one schema, read from the file that `--settings` names (the chart mounts it).
 * Changes need a restart, which costs the cluster nothing: the other replica takes over.
 */
import Type from 'typebox';
import type { Static, TProperties } from 'typebox';
import { ActionableError } from '../runtime/errors.js';
import { LOG_LEVELS } from '../runtime/log.js';
import type { SettingSchema } from '../runtime/setting-text.js';
import { readSettings } from '../runtime/settings.js';
import { settingConflicts } from './setting-conflicts.js';

/** The version of the schema below. */
export const OPERATOR_SETTINGS_VERSION = 1;

/** Render versions that one operator writes: its own and the two before (architecture.md 3, render pin). */
const MAX_RENDERS = 3;

const group = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false, default: {} });
const words = <const Values extends readonly string[]>(values: Values, options: object) =>
  Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options });
const whole = (minimum: number, maximum: number, fallback: number, description: string) =>
  Type.Integer({ minimum, maximum, default: fallback, description });
const text = (pattern: string, maxLength: number, options: object) =>
  Type.String({ pattern, minLength: 1, maxLength, ...options });

const LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'; // RFC 1123 label
const SECRET_NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const REPOSITORY_PREFIX =
  '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*$';
const IP_RANGE = '^[0-9a-fA-F:.]+/[0-9]{1,3}$';
const ranges = (description: string) =>
  Type.Array(text(IP_RANGE, 43, {}), { maxItems: 32, default: [], description });

const render = Type.Object(
  {
    version: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: 'Number of this render.',
    }),
    image: Type.Object(
      {
        repository: text('^[a-zA-Z0-9][a-zA-Z0-9._:/-]*$', 255, {
          description: 'Registry and path, without a tag.',
        }),
        tag: text('^[A-Za-z0-9_][A-Za-z0-9_.-]*$', 128, { description: 'Tag of the image.' }),
        digest: Type.Optional(
          text('^sha256:[0-9a-f]{64}$', 71, {
            description: 'Digest of the image; absent only in development.',
          }),
        ),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** The whole settings.json of the operator. */
export const operatorSettingsSchema = Type.Object(
  {
    version: Type.Literal(OPERATOR_SETTINGS_VERSION, { description: 'Version of these settings.' }),
    installId: text(LABEL, 63, {
      description:
        'Name of this installation, in the SPIFFE ids of all certificates. Never change it.',
    }),
    namespace: text(LABEL, 63, { description: 'Namespace in which the operator itself runs.' }),
    scope: group({
      watch: words(['All', 'Named', 'Selected'] as const, {
        default: 'All',
        description:
          'Which namespaces are served: all, those in scope.namespaces, or those with scope.namespaceSelector.',
      }),
      namespaces: Type.Array(text(LABEL, 63, {}), {
        maxItems: 500,
        uniqueItems: true,
        default: [],
        description: 'Names, when scope.watch is Named. Needs no permission outside of them.',
      }),
      namespaceSelector: Type.String({
        maxLength: 512,
        default: '',
        description:
          'Label selector as kubectl takes it, when scope.watch is Selected; followed live.',
      }),
    }),
    workers: whole(1, 64, 24, 'Resources of one kind that are reconciled at the same time.'),
    leaderElection: group({
      enabled: Type.Boolean({
        default: true,
        description: 'Needed with more than one replica; false with one.',
      }),
      leaseName: text(LABEL, 63, {
        default: 'sallyport-operator',
        description: 'Lease in the operator namespace.',
      }),
      leaseSeconds: whole(
        3,
        600,
        15,
        'A standby takes over this long after it last saw the leader renew.',
      ),
      renewSeconds: whole(2, 599, 10, 'A leader that could not renew for this long stops writing.'),
      retrySeconds: whole(1, 120, 1, 'Time between two attempts to take or renew the lease.'),
    }),
    renders: Type.Array(render, {
      minItems: 1,
      maxItems: MAX_RENDERS,
      description: 'Render versions that this operator writes, newest first.',
    }),
    images: group({
      allowedRepositories: Type.Array(text(REPOSITORY_PREFIX, 255, {}), {
        maxItems: 32,
        uniqueItems: true,
        default: [],
        description:
          'Registries, with or without a path, from which spec.image of a resource may choose; whole path segments count. Empty allows the repositories in renders only, each for its version.',
      }),
      pullSecrets: Type.Array(text(SECRET_NAME, 253, {}), {
        maxItems: 8,
        uniqueItems: true,
        default: [],
        description:
          'Secrets for the registry, in the namespace of each resource, for pods whose resource names none.',
      }),
    }),
    imagePullPolicy: words(['IfNotPresent', 'Always'] as const, {
      default: 'IfNotPresent',
      description:
        'Pull policy of all pods whose resource says nothing; an image without digest is always pulled.',
    }),
    cluster: group({
      serviceCIDRs: ranges(
        'Service ranges of the cluster: relays never send to them. Empty gives a condition.',
      ),
      podCIDRs: ranges('Pod and node ranges: relays behind a LoadBalancer never send to them.'),
      apiServer: ranges('Addresses of the API server: relays never send to them.'),
    }),
    health: group({
      address: text('^[0-9a-fA-F:.]+$', 45, {
        default: '::',
        description: 'Address of /livez, /readyz and /metrics.',
      }),
      port: whole(
        0,
        65_535,
        9_090,
        'TCP port of /livez, /readyz and /metrics; 0 takes a free one.',
      ),
    }),
    logLevel: words(LOG_LEVELS, {
      default: 'info',
      description: 'Least severe log line that is written.',
    }),
    client: group({
      connections: whole(1, 128, 24, 'Most connections to the API server, watches apart.'),
      callDeadlineSeconds: whole(
        1,
        300,
        30,
        'A call with its retries is given up after this long.',
      ),
    }),
    keys: group({
      checkSecretsEverySeconds: whole(
        30,
        86_400,
        300,
        'Secrets that a user names are read again this often.',
      ),
    }),
    shutdownDeadlineSeconds: whole(
      1,
      60,
      10,
      'On SIGTERM the process ends after this long, whatever still runs.',
    ),
  },
  { additionalProperties: false },
);

/** The operator's settings with all defaults filled in. */
export type OperatorSettings = Static<typeof operatorSettingsSchema>;

/** The schema in the form that `settingsHelp` prints; typebox's type does not say that it is plain JSON Schema. */
export const operatorSettingsHelp = operatorSettingsSchema as unknown as SettingSchema;

/**
 * `value` as operator settings.
 * @throws ActionableError ERR_SETTING, also for values that are each in bounds but contradict each other.
 */
export function readOperatorSettings(value: unknown, source: string): OperatorSettings {
  const settings = readSettings(operatorSettingsSchema, value, source);
  const [conflict] = settingConflicts(settings);
  if (conflict === undefined) return settings;
  throw new ActionableError('ERR_SETTING', `${source}: ${conflict.problem}`, conflict.hint);
}
