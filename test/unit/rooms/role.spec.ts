import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dump, loadAll } from 'js-yaml';
import type { AccessRole } from '../../../src/kinds/access-role.gen.js';
import type { Child } from '../../../src/kubernetes/cluster.js';
import { planBundle, withPublished } from '../../../src/operator/access-role/bundle.js';
import type { ObservedBundle } from '../../../src/operator/access-role/bundle.js';
import { bundleConfigMap, publishedBundle } from '../../../src/operator/access-role/objects.js';
import { planAccessRole } from '../../../src/operator/access-role/plan.js';
import { roleProblem } from '../../../src/operator/access-role/validate.js';
import { dataHash, metadataHash } from '../../../src/kubernetes/projection.js';
import { rolesOn } from '../../../src/policy/roles.js';
import type { KeyFact } from '../../../src/operator/keys/facts.js';
import { aFingerprint, anAccessRole, aSignalingGateway, CREATED } from '../../builders.js';
import { schemaOf, withDefaults } from '../../defaulting.js';
import { applied, NOON } from './observed-gateway.js';

const ROOT = join(import.meta.dirname, '../../..');
const GOLDEN = join(ROOT, 'test/golden/access-role');
const SAMPLES = join(ROOT, 'config/samples');
const files = readdirSync(SAMPLES).filter((file) => file.startsWith('role-'));
const gateway = aSignalingGateway();

function sample(file: string): AccessRole {
  const [document] = loadAll(readFileSync(join(SAMPLES, file), 'utf8')) as [AccessRole];
  const { name } = document.metadata;
  const metadata = { name, namespace: 'default', generation: 1, creationTimestamp: CREATED };
  return { ...(withDefaults(schemaOf('AccessRole'), document) as AccessRole), metadata };
}

const key = (kid: string, state: KeyFact['state']): KeyFact => ({
  kid,
  public: 'K'.repeat(43),
  notBefore: CREATED,
  notAfter: '2026-06-01T00:00:00Z',
  publishedAt: CREATED,
  state,
});
const KEYS = [key('1'.repeat(22), 'current'), key('2'.repeat(22), 'next')];
const observed = (roles: readonly AccessRole[], change: Partial<ObservedBundle> = {}) => ({
  gateway,
  roles,
  configMap: undefined,
  keys: KEYS,
  ...change,
});

/** The observation after what it asks for was signed and published. */
function published(before: ObservedBundle): ObservedBundle {
  const issue = planBundle(before, NOON).issue!;
  const kid = before.keys[0]!.kid;
  const map = bundleConfigMap(before.gateway, issue, {
    bundle: JSON.stringify(issue),
    kid,
    signature: 's',
  });
  const configMap: Child = applied(map, {
    dataHash: dataHash(map['data'] as Record<string, string>),
    ownedMetadataHash: metadataHash(map.metadata),
  });
  const policyBundle = { serial: issue.serial, digest: 'd', configMap: map.metadata.name };
  const status = { ...before.gateway.status!, policyBundle };
  return { ...before, gateway: { ...before.gateway, status }, configMap };
}

describe('the bundle of the sample roles', () => {
  it.each(files)('S204: %s is that of the golden file', (file) => {
    const role = sample(file);
    const { names = ['edge'], selector } = role.spec.gateways;
    const labels = selector?.matchLabels ?? {};
    const chosen = aSignalingGateway({ metadata: { name: names[0]!, labels } });
    const { issue } = planBundle({ ...observed([role]), gateway: chosen }, NOON);
    const text = dump(issue?.roles ?? [], { lineWidth: 120, noRefs: true });
    const golden = join(GOLDEN, file);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(existsSync(golden)).toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    expect(issue?.roles).toHaveLength(1);
  });

  it('has no golden file that no sample writes', () => {
    expect(readdirSync(GOLDEN).sort()).toEqual([...files].sort());
  });
});

function withView(now: ObservedBundle, view: Child['view']): ObservedBundle {
  const configMap = now.configMap!;
  return { ...now, configMap: { ...configMap, view: { ...configMap.view, ...view } } };
}

describe('the bundle of a gateway', () => {
  const role = anAccessRole({ subjects: [aFingerprint()] });

  it('does not exist before the first role, nor before there is a key', () => {
    expect(planBundle(observed([]), NOON).issue).toBeUndefined();
    expect(planBundle(observed([role], { keys: [] }), NOON).issue).toBeUndefined();
  });

  it('is issued once: published, it stands', () => {
    expect(planBundle(observed([role]), NOON).issue?.serial).toBe(1);
    expect(planBundle(published(observed([role])), NOON).issue).toBeUndefined();
  });

  it.each<[string, (now: ObservedBundle) => ObservedBundle]>([
    ['a role changed', (now) => ({ ...now, roles: [anAccessRole({ auditLevel: 'Maximum' })] })],
    ['a role is gone', (now) => ({ ...now, roles: [] })],
    ['another key signs', (now) => ({ ...now, keys: [key('3'.repeat(22), 'current')] })],
    ['its data was edited', (now) => withView(now, { dataHash: 'x' })],
    [
      'its labels or its owner reference were edited',
      (now) => withView(now, { ownedMetadataHash: 'x' }),
    ],
    [
      'its annotations were edited',
      (now) => ({ ...now, configMap: { ...now.configMap!, annotations: {} } }),
    ],
    ['it was deleted', (now) => ({ ...now, configMap: undefined })],
  ])('is issued again, with a higher serial, when %s', (_, change) => {
    expect(planBundle(change(published(observed([role]))), NOON).issue?.serial).toBe(2);
  });

  it('skips a serial that was taken and, after a crash, never used', () => {
    const now = published(observed([role]));
    const policyBundle = { serial: 7, digest: 'd', configMap: 'c' };
    const crashed = { ...now.gateway, status: { ...now.gateway.status!, policyBundle } };
    expect(planBundle({ ...now, gateway: crashed }, NOON).issue?.serial).toBe(8);
  });

  it('looks again when a role ends', () => {
    const ending = anAccessRole({ expiresAt: '2026-03-02T13:00:00Z' });
    expect(planBundle(observed([ending]), NOON).nextAt).toEqual(new Date('2026-03-02T13:00:00Z'));
  });

  it('leaves an invalid role out: what it would allow is denied', () => {
    const wild = anAccessRole({
      metadata: { name: 'wild' },
      permissions: [{ resource: 'Chat', verbs: ['*' as never] }],
    });
    expect(planBundle(observed([role, wild]), NOON).issue?.roles.map(({ name }) => name)).toEqual([
      'user',
    ]);
  });

  it('keeps a paused role as it was published, and a new paused one out', () => {
    const annotations = { 'sallyport.dev/paused-until': '2026-03-02T13:00:00Z' };
    const paused = anAccessRole({ metadata: { annotations }, auditLevel: 'Maximum' });
    const other = anAccessRole({ metadata: { name: 'other' } });
    const plan = planBundle({ ...published(observed([role])), roles: [paused, other] }, NOON);
    expect(plan.asPublished).toEqual(['user']);
    const old = rolesOn(gateway, [role], NOON);
    const merged = withPublished(plan.issue!, plan, old).bundle;
    expect(merged.roles).toMatchObject([{ name: 'other' }, old[0]]);
    expect(merged.roles[1]).not.toHaveProperty('auditLevel');
    const without = withPublished(plan.issue!, plan, []).bundle;
    expect(without.roles.map(({ name }) => name)).toEqual(['other']);
  });
});

describe('the status of an AccessRole', () => {
  const role = anAccessRole({ subjects: [aFingerprint()] });
  const plan = (one: AccessRole, bundle: ObservedBundle | undefined) =>
    planAccessRole(
      {
        role: one,
        roles: [one],
        gateways: bundle ? [{ gateway: bundle.gateway, configMap: bundle.configMap }] : [],
      },
      NOON,
    ).status;
  const first = ({ conditions }: ReturnType<typeof plan>) => conditions[0];

  it('is Ready when the bundle of each gateway has the role as it is', () => {
    const status = plan(role, published(observed([role])));
    expect(first(status)).toMatchObject({ type: 'Ready', status: 'True', reason: 'Published' });
    expect(status.gateways).toEqual([{ name: 'edge', serial: 1 }]);
  });

  it('waits while the bundle says something else', () => {
    const changed = anAccessRole({ auditLevel: 'Maximum' });
    expect(first(plan(changed, published(observed([role]))))).toMatchObject({
      reason: 'WaitingForBundle',
    });
  });

  it('says who is not given the role for the sake of an older one, unless that one has ended', () => {
    const metadata = { name: 'older', creationTimestamp: '2026-01-01T00:00:00Z' };
    const older = { metadata, subjects: [aFingerprint()], conflictsWith: ['user'] };
    const duties = (overrides: object) =>
      planAccessRole(
        { role, roles: [role, anAccessRole({ ...older, ...overrides })], gateways: [] },
        NOON,
      ).status.conditions.find(({ type }) => type === 'DutiesSeparated');
    expect(duties({})).toMatchObject({ status: 'False', reason: 'SubjectsConflict' });
    expect(duties({})?.message).toContain('older');
    // An older role that has ended takes nobody away.
    expect(duties({ expiresAt: '2026-03-01T00:00:00Z' })?.status).toBe('True');
  });

  it('T51: says that nobody has it when it conflicts with an older role and one is for everyone', () => {
    const metadata = { name: 'older', creationTimestamp: '2026-01-01T00:00:00Z' };
    const older = anAccessRole({ metadata, assignment: 'Everyone', conflictsWith: ['user'] });
    const roles = [role, older];
    const now = published(observed(roles));
    expect(Object.keys(publishedBundle(now.gateway, now.configMap)!.roles)).toEqual(['older']);
    const gateways = [{ gateway: now.gateway, configMap: now.configMap }];
    const { conditions, gateways: on } = planAccessRole({ role, roles, gateways }, NOON).status;
    const said = (name: string) => conditions.find(({ type }) => type === name);
    expect(said('DutiesSeparated')).toMatchObject({ status: 'False', reason: 'SubjectsConflict' });
    expect(said('DutiesSeparated')?.message).toMatch(/Nobody has this role.*older/);
    expect(said('Stalled')).toMatchObject({ status: 'True', reason: 'SubjectsConflict' });
    expect(said('Ready')?.status).toBe('False');
    expect(on).toBeUndefined();
    const kept = planAccessRole({ role: older, roles, gateways }, NOON).status.conditions;
    expect(kept.find(({ type }) => type === 'Ready')).toMatchObject({ reason: 'Published' });
  });

  it('names a gateway that does not exist', () => {
    const status = plan(role, undefined);
    expect(first(status)).toMatchObject({ status: 'False', reason: 'GatewayNotFound' });
    expect(first(status)?.message).toContain('edge');
  });
});

describe('T51: an AccessRole that passed no schema', () => {
  it('is refused only for a reason', () => {
    expect(roleProblem(anAccessRole())).toBeUndefined();
  });

  it.each([
    [
      'a wildcard verb',
      { permissions: [{ resource: 'Chat', verbs: ['*'] }] },
      /instead of \* write those of Send, Receive/,
    ],
    [
      'a wildcard resource',
      { permissions: [{ resource: '*', verbs: ['Read'] }] },
      /instead of \* write those of Chat/,
    ],
    [
      'a verb of another resource',
      { permissions: [{ resource: 'Chat', verbs: ['Delete'] }] },
      /Send, Receive/,
    ],
    [
      'an unknown resource',
      { permissions: [{ resource: 'Secret', verbs: ['Read'] }] },
      /no resource Secret/,
    ],
    [
      'names and selector',
      { gateways: { names: ['edge'], selector: { matchLabels: {} } } },
      /exactly one/,
    ],
    ['a name as subject', { subjects: ['alice@example.com'] }, /fingerprints/],
    [
      'a line break in a condition',
      {
        permissions: [
          { resource: 'Chat', verbs: ['Send'], conditions: { sourceCidrs: ['10.0.0.0/8\n'] } },
        ],
      },
      /line break/,
    ],
    [
      'a range with host bits',
      {
        permissions: [
          { resource: 'Chat', verbs: ['Send'], conditions: { sourceCidrs: ['10.0.0.1/8'] } },
        ],
      },
      /network/,
    ],
    [
      'administration for everyone',
      { assignment: 'Everyone', permissions: [{ resource: 'Account', verbs: ['Delete'] }] },
      /never for everyone/,
    ],
    ['a conflict with itself', { conflictsWith: ['user'] }, /itself/],
    ['a name with a step upwards', { metadata: { name: '../admin' } }, /metadata.name/],
    ['an end that is no time', { expiresAt: 'tomorrow' }, /no time/],
    [
      'a key without a factor',
      { mfa: { required: false, hardwareKeyRequired: true } },
      /hardwareKeyRequired/,
    ],
  ])('is refused for %s', (_, overrides, message) => {
    const problem = roleProblem(anAccessRole(overrides as Parameters<typeof anAccessRole>[0]));
    expect(problem).toMatch(message);
    expect(`Nobody has this role: ${problem}`.length).toBeLessThanOrEqual(256);
  });
});
