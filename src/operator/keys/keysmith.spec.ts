import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';

import { DAY, file, LeafBed, metadata, spkiPin } from '../../../test/leaf-bed.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { KeysChanged } from './carried-keys.reader.js';
import { CaKeysmith } from './ca.keysmith.js';
import { KeyOrdersKeysmith } from './key-orders.keysmith.js';
import { signingKeyId } from './label.js';
import { planLeaseKeys } from './lease-keys.js';

let bed: LeafBed;

beforeEach(() => {
  bed = new LeafBed();
});

describe('a Secret that somebody changed', () => {
  beforeEach(() => bed.settle());

  it('T51: has its leaf replaced with a new key', async () => {
    const before = spkiPin(bed.leaf());
    const stored = bed.leafSecret()!;
    bed.cluster.write({ ...stored, data: { ...(stored['data'] as object), 'tls.key': 'eA==' } });
    expect(await bed.settle()).toBe('KeyMaterialChanged');
    expect(spkiPin(bed.leaf())).not.toBe(before);
    expect(bed.leaf().verify(bed.ca().publicKey)).toBe(true);
  });

  it('T51: has its CA replaced, and then every leaf that the old one signed', async () => {
    const before = bed.ca();
    const stored = bed.caSecret()!;
    bed.cluster.write({ ...stored, data: { ...(stored['data'] as object), extra: 'eA==' } });
    await bed.authorities.signer('chat');
    expect(await bed.settle()).toBe('CertificateIssuerChanged');
    expect(bed.leaf().verify(before.publicKey)).toBe(false);
    expect(bed.leaf().verify(bed.ca().publicKey)).toBe(true);
    expect(bed.caPems()).not.toContain(before.toString());
  });

  it('between plan and order is left alone until it is planned again', async () => {
    bed.clock.seconds = 20 * DAY;
    const { order } = bed.plan();
    const stored = bed.leafSecret()!;
    const racing = bed.keysmith.fulfil(undefined, order!);
    bed.cluster.write({ ...stored, data: { 'tls.crt': '', 'tls.key': '' } });
    await expect(racing).rejects.toThrow(KeysChanged);
  });
});

describe('the CA of a namespace', () => {
  it('is made once, however many leaves ask at a time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `leaf-${index}`);
    await Promise.all(
      names.map((name) =>
        bed.keysmith.fulfil(undefined, bed.plan({ metadata: { ...metadata, name } }).order!),
      ),
    );
    expect(bed.cluster.calls.filter((call) => call.endsWith('sallyport-ca'))).toHaveLength(1);
  });

  it('is read once by an operator that starts anew, not once per leaf', async () => {
    await bed.settle();
    bed.cluster.calls.length = 0;
    const fresh = new KeyOrdersKeysmith({
      cluster: bed.cluster,
      authorities: new CaKeysmith(bed),
    });
    for (let index = 0; index < 20; index += 1) {
      const { order } = bed.plan({ metadata: { ...metadata, name: `leaf-${index}` } });
      await fresh.fulfil(undefined, order!);
    }
    expect(bed.cluster.calls.filter((call) => call.startsWith('read'))).toEqual([
      'read Secret sallyport-ca',
    ]);
  });

  it('is forgotten after five minutes, so that its key is not in memory for ever', async () => {
    await bed.settle();
    bed.cluster.calls.length = 0;
    bed.clock.seconds = 301;
    await bed.authorities.signer('chat');
    expect(bed.cluster.calls).toEqual(['read Secret sallyport-ca']);
  });
});

describe('lease keys in a Secret', () => {
  const leaseMetadata = { name: 'edge-gateway-lease-keys', namespace: 'chat' };
  const leaseRef = { apiVersion: 'v1', kind: 'Secret', ...leaseMetadata };
  const leasePlan = (wishes = {}) =>
    planLeaseKeys({
      secret: bed.cluster.child(leaseRef),
      metadata: leaseMetadata,
      schedule: { everySeconds: DAY, overlapSeconds: 1_800 },
      wishes,
      now: bed.clock.now(),
    });
  const rotate = async (wishes = {}) => {
    const { order } = leasePlan(wishes);
    if (order) await bed.keysmith.fulfil(undefined, order);
  };

  it('are PKCS 8 files named by key id, whose public halves stand in the annotation', async () => {
    await rotate();
    for (const { kid, public: text } of leasePlan().facts) {
      const key = createPublicKey(file(bed.cluster.stored(leaseRef), `${kid}.pem`));
      const raw = key.export({ type: 'spki', format: 'der' }).subarray(-32);
      expect(raw.toString('base64url')).toBe(text);
      expect(signingKeyId('Lease', raw)).toBe(kid);
    }
    expect(JSON.parse(file(bed.cluster.stored(leaseRef), 'keys.json'))).toEqual(leasePlan().facts);
  });

  it('S22: after a rotation hold the private half of the key before, and it is gone when that key is revoked', async () => {
    await rotate();
    const { kid } = leasePlan().facts.find(({ state }) => state === 'current')!;
    const files = () => Object.keys(bed.cluster.stored(leaseRef)!['data'] as object);
    bed.clock.seconds = DAY;
    await rotate();
    expect(leasePlan().facts.find((fact) => fact.kid === kid)?.state).toBe('retired');
    expect(files()).toContain(`${kid}.pem`);
    expect(files()).toHaveLength(4);
    await rotate({ revoke: kid });
    expect(files()).not.toContain(`${kid}.pem`);
    expect(files()).toHaveLength(3);
  });

  it('S22: after a revocation the revoked private half is nowhere', async () => {
    await rotate();
    const { kid } = leasePlan().facts[0]!;
    await rotate({ revoke: kid });
    const files = Object.keys(bed.cluster.stored(leaseRef)!['data'] as object);
    expect(files).not.toContain(`${kid}.pem`);
    expect(files).toHaveLength(3);
  });

  it('S22: a rotation keeps the announced key, byte for byte', async () => {
    await rotate();
    const { kid } = leasePlan().facts.find(({ state }) => state === 'next')!;
    const before = file(bed.cluster.stored(leaseRef), `${kid}.pem`);
    bed.clock.seconds = DAY;
    await rotate();
    expect(leasePlan().facts.find(({ state }) => state === 'current')!.kid).toBe(kid);
    expect(file(bed.cluster.stored(leaseRef), `${kid}.pem`)).toBe(before);
  });

  it('S21: stand in no annotation, label, order or error', async () => {
    await rotate();
    await bed.settle();
    for (const secret of [bed.cluster.stored(leaseRef)!, bed.leafSecret()!, bed.caSecret()!]) {
      const shown = JSON.stringify([
        secret.metadata,
        bed.cluster.child(refOfSecret(secret)),
        leasePlan(),
      ]);
      for (const material of materialOf(secret)) expect(shown).not.toContain(material);
    }
  });

  it('S21: are not quoted by the error about a file that is no key', async () => {
    await rotate();
    bed.clock.seconds = DAY;
    const order = leasePlan().order!;
    const damaged = {
      ...bed.cluster.stored(leaseRef)!,
      data: { [`${order.carry[0]!}.pem`]: 'Y2FuYXJ5' },
    };
    bed.cluster.read = () => Promise.resolve(damaged);
    const error: unknown = await bed.keysmith
      .fulfil(undefined, order)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TypeError);
    expect(String((error as Error).stack)).not.toMatch(/canary|Y2FuYXJ5/);
  });
});

/** Base64 lines of private keys: what must not be found anywhere else. */
function materialOf(secret: KubernetesObject): string[] {
  const files = Object.entries(secret['data'] as Record<string, string>);
  return files
    .filter(([name]) => /\.(pem|key)$/.test(name))
    .flatMap(([, text]) => Buffer.from(text, 'base64').toString().split('\n'))
    .filter((line) => line.length > 20 && !line.startsWith('-----'));
}

function refOfSecret({ apiVersion, kind, metadata: { namespace = '', name } }: KubernetesObject) {
  return { apiVersion, kind, namespace, name };
}
