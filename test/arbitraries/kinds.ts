import fc from 'fast-check';
import type { AccessRole } from '../../src/kinds/access-role.gen.js';
import type { RelayPool } from '../../src/kinds/relay-pool.gen.js';
import type { RetentionPolicy } from '../../src/kinds/retention-policy.gen.js';
import type { SignalingGateway } from '../../src/kinds/signaling-gateway.gen.js';
import { aRelayPool, aRetentionPolicy, aSignalingGateway, anAccessRole } from '../builders.js';
import { schemaOf } from '../defaulting.js';
import * as rules from './rules.js';
import { valueOf, type Known } from './schema.js';
import * as values from './values.js';

/** Which strings stand where. A field that is not here stops the test run, so that no new field goes untested. */
const STRINGS: Known['strings'] = [
  [/^ingress\.annotations$/, values.ingressKey],
  [/^exposure\.annotations$/, values.serviceKey],
  [/(annotations|nodeSelector|podLabels|matchLabels)$/, values.labelKey],
  [/annotations\{\}$/, values.annotationValue],
  [/(nodeSelector|podLabels|matchLabels)\{\}$/, values.labelValue],
  [/^(hosts\[\])$/, values.publicName],
  [/(sourceRanges|cidrs|denied|sourceCidrs)\[\]$|\.cidr$/, values.cidr],
  [/bindAddresses\[\]$/, values.ipAddress],
  [/(administrators|subjects)\[\]$/, values.fingerprint],
  [/^allowedOrigins\[\]$/, values.origin],
  [/servers\[\]$/, values.natsServer],
  [
    /^(relayPools|allowedGateways)\[\]\.name$|^gateways\.names\[\]$|^conflictsWith\[\]$/,
    values.resourceName,
  ],
  [/issuerRef\.kind$/, fc.constantFrom('Issuer', 'ClusterIssuer')],
  [/tolerations\[\]\.key$/, values.labelKey],
  [/tolerations\[\]\.value$/, values.labelValue],
  [/\.cpu$/, values.cpu],
  [/\.(memory|ephemeralStorage)$/, values.bytes],
  [/image\.repository$/, values.repository],
  [/image\.tag$/, values.tag],
  [/image\.digest$/, values.digest],
  [/^renderVersion$/, values.renderVersion],
  [/(\.until|^expiresAt)$/, values.time],
  [/legalHold\.reason$/, values.reason],
  [/allowedTypes\[\]$/, values.fileType],
  [
    /(amespace|regions\[\]|region|className|ClassName|pullSecrets\[\]|\.name|issuerRef\.group)$/,
    values.dnsLabel(),
  ],
];

const known = (...found: Known['rules']): Known => ({ strings: STRINGS, rules: found });

const WORKLOAD: Known['rules'] = [
  [/^exposure$/, rules.exposure],
  [/(peers|extraIngress|extraEgress)\[\]$/, rules.peer],
  [/tolerations\[\]$/, rules.toleration],
  [/^resources$/, rules.resources],
  [/^autoscaling$/, rules.ordered('minReplicas', 'maxReplicas')],
];

const SESSIONS = rules.ordered('idleTimeoutSeconds', 'absoluteTimeoutSeconds');

const GATEWAY = known(
  ...WORKLOAD,
  [/^listener\.tls$/, rules.tls],
  [/^authentication\.lockout$/, rules.together('maxAttempts', 'windowSeconds', 'durationSeconds')],
  [/^authentication\.secondFactors$/, rules.secondFactors],
  [/^authentication\.sessions$/, SESSIONS],
  [/^authentication$/, rules.authentication],
  [/^keyRotation$/, rules.keyRotation],
  [/^storage$/, rules.storage],
  [/^bus$/, rules.bus],
  [/^$/, rules.gatewaySpec],
);

const POOL = known(
  ...WORKLOAD,
  [/^capacity$/, rules.capacity],
  [/^rateLimits$/, rules.ordered('handshakesPerAddressPerSecond', 'handshakesPerSecond')],
  [/^$/, rules.poolSpec],
);

const ROLE = known(
  [/^gateways$/, rules.gateways],
  [/^permissions\[\]$/, rules.permission],
  [/^mfa$/, rules.mfa],
  [/^sessions$/, SESSIONS],
  [/^$/, rules.roleSpec],
);

const RETENTION = known(
  [/^gateways$/, rules.gateways],
  [/^classes\.\w+$/, rules.ordered('atLeastSeconds', 'atMostSeconds')],
  [/^classes$/, rules.classes],
  [/^$/, rules.retentionSpec],
);

function resources<Resource>(
  kind: string,
  rulesOfKind: Known,
  build: (overrides: { metadata: { name: string } }) => Resource,
): fc.Arbitrary<Resource> {
  const spec = schemaOf(kind).properties?.['spec'];
  if (!spec) throw new Error(`${kind} has no spec`);
  return fc
    .tuple(values.resourceName, valueOf(spec, rulesOfKind))
    .map(([name, made]) => build({ ...(made as object), metadata: { name } }));
}

/** Random valid SignalingGateways, as the API server would store them. */
export const signalingGateways: fc.Arbitrary<SignalingGateway> = resources(
  'SignalingGateway',
  GATEWAY,
  aSignalingGateway,
);

/** Random valid RelayPools, as the API server would store them. */
export const relayPools: fc.Arbitrary<RelayPool> = resources('RelayPool', POOL, aRelayPool);

/** Random valid AccessRoles, as the API server would store them. */
export const accessRoles: fc.Arbitrary<AccessRole> = resources('AccessRole', ROLE, (overrides) =>
  anAccessRole(rules.withoutItself(overrides)),
);

/** Random valid RetentionPolicies, as the API server would store them. */
export const retentionPolicies: fc.Arbitrary<RetentionPolicy> = resources(
  'RetentionPolicy',
  RETENTION,
  aRetentionPolicy,
);
