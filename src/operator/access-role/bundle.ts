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
import { exclude, isExpired, rolesOn, type BundleRole } from '../../policy/roles.js';
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
  /** By paused role: the roles that nobody may have beside it. */
  readonly rivals: Rivals;
  /** When a role or a pause ends. */
  readonly nextAt?: Date;
}

/** Names of roles by the name of the paused role with which they conflict. */
export type Rivals = Readonly<Record<string, readonly string[]>>;

/** A bundle with the paused roles in it as they were published. */
export interface MergedBundle {
  readonly bundle: IssuedBundle;
  /** What was to be published before segregation of duties took its part: the same until a role or a pause changes. */
  readonly roles: readonly BundleRole[];
  /** By role that was not given to everyone whom it names: the paused role that they have. */
  readonly withheld: Readonly<Record<string, string>>;
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
    rivals: rivalsOf(asPublished, valid),
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

/**
 * `bundle` with the published form of the roles that a pause holds back; one that was not published stays out. Whoever
 * has a paused role keeps it, so those who were given a conflicting one since do not get that.
 */
export function withPublished(
  bundle: IssuedBundle,
  { asPublished, rivals }: Pick<BundlePlan, 'asPublished' | 'rivals'>,
  published: readonly BundleRole[],
): MergedBundle {
  const roles = bundle.roles.flatMap((role) =>
    asPublished.includes(role.name) ? published.filter(({ name }) => name === role.name) : [role],
  );
  const paused = roles.filter(({ name }) => asPublished.includes(name));
  const withheld: Record<string, string> = {};
  const separated = roles.flatMap((role) => {
    const rival = paused.find(
      (one) => rivals[one.name]?.includes(role.name) === true && overlap(one, role),
    );
    // Both paused: both were published together, and stay so.
    if (rival === undefined || paused.includes(role)) return [role];
    withheld[role.name] = rival.name;
    return separate(role, paused, rivals);
  });
  return { bundle: { ...bundle, roles: separated }, roles, withheld };
}

/** `role` without whoever has a paused role that conflicts; none where one of the two is for everyone. */
function separate(
  role: BundleRole,
  paused: readonly BundleRole[],
  rivals: Rivals,
): readonly BundleRole[] {
  const others = paused.filter(({ name }) => rivals[name]?.includes(role.name));
  if ([role, ...others].some(({ assignment }) => assignment === 'Everyone')) return [];
  const taken = new Set(others.flatMap(({ subjects }) => subjects));
  return [{ ...role, subjects: role.subjects.filter((subject) => !taken.has(subject)) }];
}

function overlap(a: BundleRole, b: BundleRole): boolean {
  if (a.assignment === 'Everyone' || b.assignment === 'Everyone') return true;
  return a.subjects.some((subject) => b.subjects.includes(subject));
}

function rivalsOf(paused: readonly string[], roles: readonly AccessRole[]): Rivals {
  const named = roles.filter(({ metadata }) => paused.includes(metadata.name));
  return Object.fromEntries(
    named.map((role) => [
      role.metadata.name,
      roles.filter((other) => exclude(role, other)).map(({ metadata }) => metadata.name),
    ]),
  );
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
