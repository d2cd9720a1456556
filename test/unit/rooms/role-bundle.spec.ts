import { beforeEach, describe, expect, it } from '@jest/globals';

import { ACCESS_ROLE, type AccessRole } from '../../../src/kinds/access-role.gen.js';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { refOf } from '../../../src/kubernetes/object.js';
import type { IssuedBundle } from '../../../src/operator/access-role/bundle.js';
import { bundleRef, BUNDLE_FILE } from '../../../src/operator/access-role/objects.js';
import { planAccessRole } from '../../../src/operator/access-role/plan.js';
import { PolicyBundleReconciler } from '../../../src/operator/access-role/policy-bundle.reconciler.js';
import { bundleDigest, verifiedRoles } from '../../../src/operator/access-role/verify.js';
import { BundleKey } from '../../../src/operator/keys/bundle-key.keysmith.js';
import type { PolicyBundle, SignedBundle } from '../../../src/operator/keys/bundle.js';
import { CaKeysmith } from '../../../src/operator/keys/ca.keysmith.js';
import { KeyOrdersKeysmith } from '../../../src/operator/keys/key-orders.keysmith.js';
import { aFingerprint, anAccessRole, aSignalingGateway } from '../../builders.js';
import { StoreCluster } from '../../store.cluster.js';
import { NOON } from './observed-gateway.js';

let afterMs = 0;
const clock = { now: () => new Date(NOON.getTime() + afterMs), monotonicMs: () => afterMs };
const gateway = aSignalingGateway();
const PAUSED = { 'sallyport.dev/paused-until': '2026-03-02T13:00:00Z' };

let cluster: StoreCluster;
let signer: BundleKey;
let reconciler: PolicyBundleReconciler;

const reconcile = () => reconciler.reconcile({ namespace: 'default', name: 'edge' });
const signedFile = () => {
  const { data } = cluster.stored(bundleRef(gateway)) as unknown as { data: Data };
  return JSON.parse(data[BUNDLE_FILE]!) as SignedBundle;
};
const inBundle = () => JSON.parse(signedFile().bundle) as IssuedBundle;
const overwrite = (signed: SignedBundle) =>
  cluster.write({
    ...cluster.stored(bundleRef(gateway))!,
    data: { [BUNDLE_FILE]: JSON.stringify(signed) },
  });

type Data = Readonly<Record<string, string>>;

beforeEach(async () => {
  afterMs = 0;
  cluster = new StoreCluster();
  const authorities = new CaKeysmith({ cluster, clock });
  const keysmith = new KeyOrdersKeysmith({ cluster, authorities });
  signer = new BundleKey({ cluster, clock, keysmith, namespace: 'sallyport-system' });
  await signer.ensure();
  reconciler = new PolicyBundleReconciler({ cluster, clock, signer });
  cluster.write(gateway);
  // What it once allowed, what it allows, and a change that a pause holds back.
  cluster.write(anAccessRole({ subjects: [aFingerprint('eve'), aFingerprint()] }));
  await reconcile();
});

/** The published bundle with a role that somebody wishes for. */
function wished(change: Partial<PolicyBundle> = {}): PolicyBundle {
  const bundle = inBundle();
  const [role] = bundle.roles;
  return { ...bundle, roles: [{ ...role!, subjects: [aFingerprint('mallory')] }], ...change };
}

type Forgery = [string, () => SignedBundle | Promise<SignedBundle>];

const FORGERIES: readonly Forgery[] = [
  [
    'names a key that nobody has',
    async () => ({ ...(await signer.sign(wished())), kid: '9'.repeat(22) }),
  ],
  [
    'names our key and has a signature of something else',
    () => ({ ...signedFile(), bundle: JSON.stringify(wished()) }),
  ],
  ['has no signature', () => ({ bundle: JSON.stringify(wished()) }) as SignedBundle],
  ['is signed for another gateway', () => signer.sign(wished({ gateway: 'another' }))],
  ['is signed with a serial that was never given', () => signer.sign(wished({ serial: 9 }))],
];

describe('a paused role', () => {
  let first: SignedBundle;

  beforeEach(async () => {
    first = signedFile();
    cluster.write(anAccessRole({ subjects: [aFingerprint()] }));
    await reconcile();
    cluster.write(anAccessRole({ metadata: { annotations: PAUSED }, auditLevel: 'Maximum' }));
    cluster.write(anAccessRole({ metadata: { name: 'other' } }));
  });

  it('T51: stays in the bundle as the genuine one has it', async () => {
    await reconcile();
    expect(inBundle().serial).toBe(3);
    expect(inBundle().roles).toMatchObject([
      { name: 'other' },
      { name: 'user', subjects: [aFingerprint()] },
    ]);
    expect(inBundle().roles[1]).not.toHaveProperty('auditLevel');
  });

  it.each<Forgery>([
    ...FORGERIES,
    ['is an older one of ours, from before a subject was taken away', () => first],
  ])('T51: is in no newly signed bundle when the published one %s', async (_, forged) => {
    overwrite(await forged());
    await reconcile();
    expect(inBundle().roles.map(({ name }) => name)).toEqual(['other']);
    expect(signedFile().kid).toBe(signer.publicKeys()[0]!.kid);
  });
});

describe('a paused role, when the key that signs rotates', () => {
  const YEAR_MS = 365 * 86_400_000;

  it('S22: is in the bundle that the next key signs, as the retired one vouches for it', async () => {
    const annotations = { 'sallyport.dev/paused-until': '2027-03-03T12:00:00Z' };
    cluster.write(anAccessRole({ subjects: [aFingerprint()] }));
    await reconcile();
    const { kid } = signedFile();
    afterMs = YEAR_MS + 3_600_000;
    cluster.write(anAccessRole({ metadata: { annotations }, auditLevel: 'Maximum' }));
    await signer.ensure();
    await reconcile();
    expect(signedFile().kid).not.toBe(kid);
    expect(inBundle().roles).toMatchObject([{ name: 'user', subjects: [aFingerprint()] }]);
    expect(inBundle().roles[0]).not.toHaveProperty('auditLevel');
  });
});

describe('a paused role and one with which it conflicts', () => {
  const [bob, eve] = [aFingerprint('bob'), aFingerprint('eve')];
  const paused = (change: object) =>
    cluster.write(
      anAccessRole({
        metadata: { annotations: PAUSED },
        subjects: [bob],
        conflictsWith: ['auditor'],
        ...change,
      }),
    );
  const auditor = (change: object) =>
    cluster.write(
      anAccessRole({
        metadata: { name: 'auditor', creationTimestamp: '2026-01-01T00:00:00Z' },
        ...change,
      }),
    );
  const subjectsIn = () =>
    Object.fromEntries(inBundle().roles.map(({ name, subjects }) => [name, subjects]));
  const said = (name: string) => {
    const roles = cluster.list<AccessRole>(ACCESS_ROLE.apiVersion, ACCESS_ROLE.kind, 'default');
    const role = roles.find(({ metadata }) => metadata.name === name)!;
    const now = cluster.get<SignalingGateway>(refOf(gateway))!;
    const gateways = [{ gateway: now, configMap: cluster.child(bundleRef(gateway)) }];
    return planAccessRole({ role, roles, gateways }, clock.now()).status.conditions;
  };

  beforeEach(async () => {
    cluster.write(anAccessRole({ subjects: [bob], conflictsWith: ['auditor'] }));
    auditor({ subjects: [eve] });
    await reconcile();
  });

  it('T51: are not both given to who was added to the other during the pause', async () => {
    paused({});
    auditor({ subjects: [bob, eve] });
    await reconcile();
    expect(subjectsIn()).toEqual({ auditor: [eve], user: [bob] });
  });

  it('T51: are not both given to who would leave the paused one only when the pause ends', async () => {
    paused({ subjects: [] });
    auditor({ subjects: [bob, eve] });
    await reconcile();
    expect(subjectsIn()).toEqual({ auditor: [eve], user: [bob] });
    const duties = said('auditor').find(({ type }) => type === 'DutiesSeparated');
    expect(duties).toMatchObject({ status: 'False', reason: 'SubjectsConflict' });
    expect(duties?.message).toContain('role user');
  });

  it('T51: leave nobody the other while the paused one is for everyone', async () => {
    cluster.write(anAccessRole({ assignment: 'Everyone', conflictsWith: ['auditor'] }));
    cluster.delete(cluster.stored({ ...ACCESS_ROLE, namespace: 'default', name: 'auditor' })!);
    await reconcile();
    paused({ subjects: [] });
    auditor({ subjects: [eve] });
    await reconcile();
    expect(inBundle().roles).toMatchObject([{ name: 'user', assignment: 'Everyone' }]);
  });

  it('are signed once, and anew when the pause ends', async () => {
    paused({ subjects: [] });
    auditor({ subjects: [bob, eve] });
    await reconcile();
    const { serial } = inBundle();
    await reconcile();
    expect(inBundle().serial).toBe(serial);
    afterMs = 3_600_001;
    await reconcile();
    expect(subjectsIn()).toEqual({ auditor: [bob, eve].sort(), user: [] });
    const duties = said('auditor').find(({ type }) => type === 'DutiesSeparated');
    expect(duties?.status).toBe('True');
  });
});

describe('T51: a published bundle proves its roles', () => {
  /** The gateway whose status names `bundle`: so that only the other checks can speak. */
  const naming = ({ bundle }: SignedBundle): SignalingGateway => {
    const { serial } = JSON.parse(bundle) as PolicyBundle;
    const policyBundle = { serial, digest: bundleDigest(bundle), configMap: 'edge-gateway-policy' };
    return { ...gateway, status: { ...gateway.status!, policyBundle } };
  };
  const rolesIn = (signed: SignedBundle, named = naming(signed)) =>
    verifiedRoles(JSON.stringify(signed), named, signer.publicKeys());

  it('when our key signed it for this gateway', () => {
    expect(rolesIn(signedFile()).map(({ name }) => name)).toEqual(['user']);
    const written = cluster.get<SignalingGateway>(refOf(gateway))!;
    expect(rolesIn(signedFile(), written)).toHaveLength(1);
  });

  it.each(FORGERIES.slice(0, 4))('never when it %s, whatever status says', async (_, forged) => {
    expect(rolesIn(await forged())).toEqual([]);
  });

  it('never when status names another serial or another content', () => {
    const signed = signedFile();
    const { policyBundle } = naming(signed).status!;
    for (const change of [{ serial: 2 }, { digest: bundleDigest('') }]) {
      const status = { ...gateway.status!, policyBundle: { ...policyBundle!, ...change } };
      expect(rolesIn(signed, { ...gateway, status })).toEqual([]);
    }
    expect(rolesIn(signed, gateway)).toEqual([]);
  });

  it('never without a key, or a file that is ours', () => {
    const signed = signedFile();
    expect(verifiedRoles(JSON.stringify(signed), naming(signed), [])).toEqual([]);
    expect(verifiedRoles(undefined, naming(signed), signer.publicKeys())).toEqual([]);
    expect(verifiedRoles('[1', naming(signed), signer.publicKeys())).toEqual([]);
  });
});
