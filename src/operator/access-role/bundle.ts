/*
 * What the policy bundle of one gateway needs now. It changes only when its content does: a role, its key, or somebody
 * who wrote into its ConfigMap. No pod template knows of it.
 */
import type { AccessRole } from '../../kinds/access-role.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import { canonicalJson } from '../../kubernetes/canonical.js';
import type { Child } from '../../kubernetes/cluster.js';
import { readPause } from '../../kubernetes/pause.js';
import { appliesTo } from '../../policy/retention.js';
import { isExpired, rolesOn, type BundleRole } from '../../policy/roles.js';
import type { PolicyBundle } from '../keys/bundle.js';
import { instant, type KeyFact } from '../keys/facts.js';
import { publishedBundle, roleDigests, type PublishedBundle } from './objects.js';
import { roleProblem } from './validate.js';

export interface ObservedBundle {
  readonly gateway: SignalingGateway;
  /** Of the gateway's namespace. */
  readonly roles: readonly AccessRole[];
  readonly configMap: Child | undefined;
  /** Keys that may sign; the current one does. Empty until there is one. */
  readonly keys: readonly KeyFact[];
}

/** A bundle with the type of its roles. */
export interface IssuedBundle extends PolicyBundle {
  readonly roles: readonly BundleRole[];
}

export interface BundlePlan {
  /** To sign and publish; absent: what is published stands. */
  readonly issue?: IssuedBundle;
  /** Paused roles whose published form goes into the bundle: it has to be read, the cache does not keep it. */
  readonly asPublished: readonly string[];
  /** When a role or a pause ends. */
  readonly nextAt?: Date;
}

/** What the bundle of one gateway needs now. */
export function planBundle(observed: ObservedBundle, now: Date): BundlePlan {
  const { gateway, roles, configMap, keys } = observed;
  const published = publishedBundle(gateway, configMap);
  const valid = roles.filter((role) => roleProblem(role) === undefined);
  const wanted = rolesOn(gateway, valid, now);
  const asPublished = heldBack(wanted, valid, published, now);
  const nextAt = nextChange(gateway, roles, now);
  const kid = keys.find(({ state }) => state === 'current')?.kid;
  const stands = isPublished({ wanted, asPublished, published, kid }, gateway);
  return {
    asPublished,
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(stands || kid === undefined ? {} : { issue: issued(gateway, published, wanted, now) }),
  };
}

function issued(
  { metadata, status }: SignalingGateway,
  published: PublishedBundle | undefined,
  roles: readonly BundleRole[],
  now: Date,
): IssuedBundle {
  const serial = Math.max(published?.serial ?? 0, status?.policyBundle?.serial ?? 0) + 1;
  return { v: 1, gateway: metadata.uid ?? '', serial, issuedAt: instant(now), roles };
}

/** `bundle` with the published form of the roles that a pause holds back; one that was not published stays out. */
export function withPublished(
  bundle: IssuedBundle,
  names: readonly string[],
  published: readonly BundleRole[],
): IssuedBundle {
  const roles = bundle.roles.flatMap((role) =>
    names.includes(role.name) ? published.filter(({ name }) => name === role.name) : [role],
  );
  return { ...bundle, roles };
}

interface Comparison {
  readonly wanted: readonly BundleRole[];
  readonly asPublished: readonly string[];
  readonly published: PublishedBundle | undefined;
  /** Of the key that signs now; undefined before there is one. */
  readonly kid: string | undefined;
}

/** Whether nothing is to be published, or can be. */
function isPublished(
  { wanted, asPublished, published, kid }: Comparison,
  { status }: SignalingGateway,
): boolean {
  // Before the first role there is nothing to say: a gateway without a bundle denies everything.
  if (published === undefined) return wanted.length === 0 && status?.policyBundle === undefined;
  const isWhole = published.intact && published.kid === kid;
  if (!isWhole || status?.policyBundle?.serial !== published.serial) return false;
  const digests = Object.entries(roleDigests(wanted)).map(([name, digest]) => [
    name,
    asPublished.includes(name) ? published.roles[name] : digest,
  ]);
  return canonicalJson(Object.fromEntries(digests)) === canonicalJson(published.roles);
}

function heldBack(
  wanted: readonly BundleRole[],
  roles: readonly AccessRole[],
  published: PublishedBundle | undefined,
  now: Date,
): readonly string[] {
  const digests = roleDigests(wanted);
  return roles
    .filter(({ metadata }) => readPause(metadata.annotations, now).state === 'Paused')
    .map(({ metadata }) => metadata.name)
    .filter((name) => name in digests && published?.roles[name] !== digests[name])
    .sort();
}

function nextChange(
  gateway: SignalingGateway,
  roles: readonly AccessRole[],
  now: Date,
): Date | undefined {
  const times = roles
    .filter((role) => appliesTo(role, gateway))
    .flatMap((role) => {
      const pause = readPause(role.metadata.annotations, now);
      const { expiresAt } = role.spec;
      return [
        ...(expiresAt === undefined || isExpired(role, now) ? [] : [Date.parse(expiresAt)]),
        ...(pause.state === 'Paused' ? [pause.until.getTime()] : []),
      ];
    })
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}
