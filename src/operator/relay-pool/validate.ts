/*
 * What the CRD's schema and CEL rules also refuse, checked again: an older CRD, standalone mode or a hand-made cache
 * may let it through. The first rule that speaks wins.
 */
import type { RelayPool, RelayPoolSpec } from '../../kinds/relay-pool.gen.js';
import type { Standing } from '../../kubernetes/conditions.js';
import type { Render } from '../../kubernetes/render-pin.js';
import { RELAY_PORTS } from '../../relay/settings.js';
import { serviceAnnotationProblem } from '../pods/annotation-keys.js';
import { isAddress, isCidr } from '../pods/cidr.js';
import { egressProblem } from '../pods/extra-peers.js';
import { imageProblem, imageRefusal, type ProgramImage } from '../pods/image.js';
import { imageOf, type Renders } from '../pods/renders.js';
import { resourcesProblem } from '../pods/resources.js';
import { FROZEN } from '../pods/rolling-update.js';
import { TEXT_RULES } from '../pods/text-rules.js';

const REGION = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

type Rule = (pool: RelayPool, image: ProgramImage) => string | undefined;

/** Why nothing can be written for this pool, with what to change; undefined when all is well. */
export function poolProblem(
  pool: RelayPool,
  render: Render,
  renders: Renders,
): Standing | undefined {
  if (render.state === 'Unsupported') {
    return { state: 'Stalled', reason: render.reason, message: render.message };
  }
  const image = imageOf(renders, render.version);
  for (const rule of RULES) {
    const message = rule(pool, image);
    if (message !== undefined) return { state: 'Stalled', reason: 'InvalidSpec', message };
  }
  const refused = imageRefusal(image, pool.spec.image);
  if (refused === undefined) return undefined;
  return { state: 'Stalled', reason: 'ImageNotAllowed', message: refused };
}

const RULES: readonly Rule[] = [
  ...TEXT_RULES,
  ({ spec }) =>
    REGION.test(spec.region)
      ? undefined
      : 'region is lower-case letters, digits and dashes: write it like eu-central.',
  replicasRule,
  portsRule,
  ({ spec }) =>
    (spec.listener.bindAddresses ?? []).every(isAddress)
      ? undefined
      : 'listener.bindAddresses holds what is no IP address: write it like 10.8.0.1 or 2001:db8::1.',
  ({ spec }) => {
    const stray = networksOf(spec).find((cidr) => !isCidr(cidr));
    return (
      stray &&
      `${stray.slice(0, 64)} is no network in CIDR notation without host bits: write it like 10.0.0.0/8.`
    );
  },
  ({ spec }) =>
    (spec.peerAddresses.denied ?? []).every((cidr) => !cidr.endsWith('/0'))
      ? undefined
      : 'peerAddresses.denied denies every address: write the networks that must stay out of reach.',
  ({ spec }) => egressProblem(spec.networkPolicy?.extraEgress),
  ({ spec: { capacity } }) =>
    capacity.softKbpsPerSession <= capacity.hardKbpsPerSession
      ? undefined
      : 'capacity.softKbpsPerSession exceeds hardKbpsPerSession: write the soft rate at most as high as the hard one.',
  ({ spec: { exposure } }) =>
    exposure.type === 'LoadBalancer' ||
    (exposure.sourceRanges === undefined && !exposure.allocateNodePorts)
      ? undefined
      : 'exposure.sourceRanges and allocateNodePorts work with a load balancer only: write type LoadBalancer or remove them.',
  ({ spec }) => serviceAnnotationProblem(spec.exposure.annotations),
  ({ spec }, image) => imageProblem(image, spec.image),
  ({ spec }) => resourcesProblem(spec.resources),
];

function replicasRule({ spec }: RelayPool): string | undefined {
  const { replicas, autoscaling } = spec;
  if (replicas !== undefined && autoscaling !== undefined) {
    return 'replicas and autoscaling exclude each other: remove one of them.';
  }
  if (autoscaling !== undefined && autoscaling.minReplicas > autoscaling.maxReplicas) {
    return 'autoscaling.minReplicas exceeds maxReplicas: raise maxReplicas or lower minReplicas.';
  }
  return (replicas ?? autoscaling?.maxReplicas ?? 1) <= FROZEN
    ? undefined
    : `a pool has at most ${FROZEN} relays: write a second pool for the others.`;
}

function portsRule({ spec }: RelayPool): string | undefined {
  const ports = [spec.port, spec.fallback.port];
  if (ports.some((port) => port < 1024 || port > 65_535)) {
    return 'port and fallback.port are from 1024 to 65535: a relay has no right to bind a lower one.';
  }
  return ports.includes(RELAY_PORTS.metrics)
    ? `${RELAY_PORTS.metrics} serves health and metrics of the same pod: write another port, for example 3478 or 5349.`
    : undefined;
}

function networksOf(spec: RelayPoolSpec): readonly string[] {
  const peers = [
    ...(spec.networkPolicy?.extraIngress ?? []),
    ...(spec.networkPolicy?.extraEgress ?? []),
  ];
  return [
    ...(spec.exposure.sourceRanges ?? []),
    ...(spec.peerAddresses.denied ?? []),
    ...peers.flatMap(({ cidr }) => (cidr === undefined ? [] : [cidr])),
  ];
}
