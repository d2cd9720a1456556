import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';

import { StoreCluster } from '../../../test/store.cluster.js';
import { BundleKey } from './bundle-key.keysmith.js';
import { bundleKeyRef, bundleMessage, isSignedBy } from './bundle.js';
import { KeysChanged } from './carried-keys.reader.js';
import { CaKeysmith } from './ca.keysmith.js';
import { KeyOrdersKeysmith } from './key-orders.keysmith.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const DAY = 86_400;

let cluster: StoreCluster;
let seconds = 0;
const clock = { now: () => new Date(START + seconds * 1000), monotonicMs: () => seconds * 1000 };

describe('the key that signs policy bundles', () => {
  let signer: BundleKey;
  const bundle = {
    v: 1,
    gateway: 'u',
    serial: 7,
    issuedAt: '2026-03-01T12:00:00Z',
    roles: [],
  } as const;
  beforeEach(() => {
    cluster = new StoreCluster();
    seconds = 0;
    const authorities = new CaKeysmith({ cluster, clock });
    const keysmith = new KeyOrdersKeysmith({ cluster, authorities });
    signer = new BundleKey({ cluster, clock, keysmith, namespace: 'sallyport-system' });
  });
  const publicKey = (index: number) =>
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: signer.publicKeys()[index]!.public },
      format: 'jwk',
    });

  it('is made when it is first needed, and signs what RFC 8785 makes of the bundle', async () => {
    expect(signer.publicKeys()).toEqual([]);
    const signed = await signer.sign(bundle);
    expect(signed.bundle).toBe(
      '{"gateway":"u","issuedAt":"2026-03-01T12:00:00Z","roles":[],"serial":7,"v":1}',
    );
    expect(signed.kid).toBe(signer.publicKeys()[0]!.kid);
    expect(isSignedBy(signed, publicKey(0))).toBe(true);
    expect(isSignedBy(signed, publicKey(1))).toBe(false);
    expect(isSignedBy({ ...signed, bundle: signed.bundle.replace('7', '8') }, publicKey(0))).toBe(
      false,
    );
  });

  it('signs the label, a zero byte, the length and the JSON', () => {
    expect(bundleMessage('{}').toString('hex')).toBe(
      ['73616c6c79706f727420706f6c6963792062756e646c65207631', '00', '0002', '7b7d'].join(''),
    );
  });

  it('refuses a bundle that its length field cannot count', async () => {
    const roles = Array.from({ length: 700 }, () => 'x'.repeat(100));
    await expect(signer.sign({ ...bundle, roles })).rejects.toThrow(RangeError);
  });

  it('is read once for many bundles, and made once for many at a time', async () => {
    await Promise.all(Array.from({ length: 10 }, () => signer.sign(bundle)));
    await signer.sign(bundle);
    expect(cluster.calls.filter((call) => call.startsWith('apply'))).toHaveLength(1);
    // One to see that there is no key yet, one for the key.
    expect(cluster.calls.filter((call) => call.startsWith('read'))).toHaveLength(2);
    cluster.calls.length = 0;
    await signer.sign(bundle);
    expect(cluster.calls).toEqual([]);
  });

  it('is not replaced while the cache has not seen it yet', async () => {
    await signer.ensure();
    const child = cluster.child.bind(cluster);
    cluster.child = () => undefined;
    await expect(signer.sign(bundle)).rejects.toThrow(KeysChanged);
    cluster.child = child;
    expect(await signer.sign(bundle)).toBeDefined();
    expect(cluster.calls.filter((call) => call.startsWith('apply'))).toHaveLength(1);
  });

  it('T51: gets its labels back when somebody takes them, and stays the same key', async () => {
    const { kid } = await signer.sign(bundle);
    const stored = cluster.stored(bundleKeyRef('sallyport-system'))!;
    cluster.write({ ...stored, metadata: { ...stored.metadata, labels: {} } });
    const child = cluster.child.bind(cluster);
    // Without its label the object leaves the cache.
    cluster.child = (ref) => {
      const found = child(ref);
      return found?.labels['app.kubernetes.io/managed-by'] === undefined ? undefined : found;
    };
    expect((await signer.sign(bundle)).kid).toBe(kid);
  });

  it('S22: rotates yearly to the key that gateways already have', async () => {
    await signer.ensure();
    const next = signer.publicKeys()[1]!.kid;
    seconds = 365 * DAY;
    expect((await signer.sign(bundle)).kid).toBe(next);
  });

  it('S22: vouches for what it signed for a day after its rotation, and gateways are not told to', async () => {
    const signed = await signer.sign(bundle);
    seconds = 365 * DAY;
    await signer.ensure();
    expect(signer.publicKeys().map(({ kid }) => kid)).not.toContain(signed.kid);
    const vouches = () => signer.verifyingKeys().some(({ kid }) => kid === signed.kid);
    expect(vouches()).toBe(true);
    seconds += DAY - 1;
    expect(vouches()).toBe(true);
    seconds += 1;
    expect(vouches()).toBe(false);
  });
});
