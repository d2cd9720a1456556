import { beforeEach, describe, expect, it } from '@jest/globals';

import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { refOf } from '../../../src/kubernetes/object.js';
import type { IssuedBundle } from '../../../src/operator/access-role/bundle.js';
import { bundleRef, BUNDLE_FILE } from '../../../src/operator/access-role/objects.js';
import { PolicyBundleReconciler } from '../../../src/operator/access-role/policy-bundle.reconciler.js';
import { bundleDigest, verifiedRoles } from '../../../src/operator/access-role/verify.js';
import { BundleKey } from '../../../src/operator/keys/bundle-key.keysmith.js';
import type { PolicyBundle, SignedBundle } from '../../../src/operator/keys/bundle.js';
import { CaKeysmith } from '../../../src/operator/keys/ca.keysmith.js';
import { KeyOrdersKeysmith } from '../../../src/operator/keys/key-orders.keysmith.js';
import { aFingerprint, anAccessRole, aSignalingGateway } from '../../builders.js';
import { StoreCluster } from '../../store.cluster.js';
import { NOON } from './observed-gateway.js';

const clock = { now: () => NOON, monotonicMs: () => 0 };
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
