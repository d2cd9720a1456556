import { createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';

import { StoreCluster } from '../../../test/store.cluster.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { caPem, caSecretRef, planCa } from './ca.js';
import { CaKeysmith } from './ca.keysmith.js';
import { KeyOrdersKeysmith } from './key-orders.keysmith.js';
import { pinOf, signingKeyId } from './label.js';
import type { LeafInput } from './leaf.js';
import { planLeaf, spiffeId } from './leaf.js';
import { planLeaseKeys } from './lease-keys.js';
import type { LeafRequest } from './orders.js';
import { KeysChanged } from './carried-keys.reader.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const DAY = 86_400;

/** Time that a test moves. */
class TestClock {
  seconds = 0;
  now = () => new Date(START + this.seconds * 1000);
  monotonicMs = () => this.seconds * 1000;
}

const metadata = { name: 'edge-gateway-internal-tls', namespace: 'chat' };
const ref = { apiVersion: 'v1', kind: 'Secret', ...metadata };
const request: LeafRequest = {
  namespace: 'chat',
  dnsNames: ['edge-gateway-internal.chat.svc', 'edge-gateway-internal.chat.svc.cluster.local'],
  uri: spiffeId('prod', 'chat', 'SignalingGateway', 'edge'),
  usages: ['serverAuth', 'clientAuth'],
};

let cluster: StoreCluster;
let clock: TestClock;
let authorities: CaKeysmith;
let keysmith: KeyOrdersKeysmith;

beforeEach(() => {
  cluster = new StoreCluster();
  clock = new TestClock();
  authorities = new CaKeysmith({ cluster, clock });
  keysmith = new KeyOrdersKeysmith({ cluster, authorities });
});

const plan = (input: Partial<LeafInput> = {}) =>
  planLeaf({
    secret: cluster.child({ ...ref, name: input.metadata?.name ?? ref.name }),
    ca: cluster.child(caSecretRef('chat')),
    metadata,
    request,
    now: clock.now(),
    ...input,
  });

/** Plans and fulfils; gives the reason, undefined when nothing was to do. */
async function settle(input: Partial<LeafInput> = {}): Promise<string | undefined> {
  const { order } = plan(input);
  if (order) await keysmith.fulfil(undefined, order);
  expect(plan(input).order).toBeUndefined();
  return order?.reason;
}

const file = (object: KubernetesObject | undefined, name: string) =>
  Buffer.from((object?.['data'] as Record<string, string>)[name] ?? '', 'base64').toString();
const leafSecret = () => cluster.stored(ref);
const leaf = () => new X509Certificate(file(leafSecret(), 'tls.crt'));
const caSecret = () => cluster.stored(caSecretRef('chat'));
const ca = () => new X509Certificate(file(caSecret(), 'tls.crt'));
const spkiPin = (certificate: X509Certificate) =>
  pinOf(certificate.publicKey.export({ type: 'spki', format: 'der' }));

describe('a new leaf', () => {
  beforeEach(() => settle());

  it('verifies against the CA of its namespace, which was made with it', () => {
    expect(leaf().verify(ca().publicKey)).toBe(true);
    expect(leaf().checkIssued(ca())).toBe(true);
    expect(ca().ca).toBe(true);
    expect(leaf().ca).toBe(false);
    expect(cluster.calls).toEqual([
      'apply Secret sallyport-ca',
      'apply Secret edge-gateway-internal-tls',
    ]);
  });

  it('carries its DNS names and the SPIFFE id of its resource', () => {
    expect(leaf().subjectAltName).toBe(
      'DNS:edge-gateway-internal.chat.svc, DNS:edge-gateway-internal.chat.svc.cluster.local, ' +
        'URI:spiffe://prod.sallyport/ns/chat/SignalingGateway/edge',
    );
    expect(leaf().checkHost('edge-gateway-internal.chat.svc')).toBeDefined();
    expect(leaf().checkHost('other.chat.svc')).toBeUndefined();
  });

  it('may serve and call, as asked, and nothing else', () => {
    expect(leaf().keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('is valid a minute before now, for thirty days', () => {
    expect(leaf().validFromDate).toEqual(new Date(START - 60_000));
    expect(leaf().validToDate).toEqual(new Date(START + 30 * DAY * 1000));
  });

  it('shows serial, dates and pins in its annotation: the pin of its key, then of the next', () => {
    const [fact] = plan().facts;
    expect(fact).toMatchObject({
      serial: leaf().serialNumber.toLowerCase(),
      notBefore: '2026-03-01T11:59:00Z',
      notAfter: '2026-03-31T12:00:00Z',
    });
    const next = createPublicKey(file(leafSecret(), 'next.key'));
    expect(fact!.pins).toEqual([
      spkiPin(leaf()),
      pinOf(next.export({ type: 'spki', format: 'der' })),
    ]);
  });

  it('has the key that belongs to it', () => {
    const signature = sign('sha256', Buffer.from('x'), file(leafSecret(), 'tls.key'));
    expect(verify('sha256', Buffer.from('x'), leaf().publicKey, signature)).toBe(true);
  });

  it('is a Secret of type kubernetes.io/tls whose digest is that of its data', () => {
    expect(leafSecret()!['type']).toBe('kubernetes.io/tls');
    const child = cluster.child(ref)!;
    expect(child.annotations['sallyport.dev/material']).toBe(child.view['dataHash']);
  });

  it('does mutual TLS 1.3 with another leaf of the same CA, and not with one of another', async () => {
    clock.seconds = (Date.now() - START) / 1000; // TLS judges dates by the clock of this machine.
    await settle();
    const other = { name: 'eu-relay-tls', namespace: 'chat' };
    const uri = spiffeId('prod', 'chat', 'RelayPool', 'eu');
    await settle({
      metadata: other,
      request: { ...request, dnsNames: ['eu-relay.chat.svc'], uri },
    });
    const stranger = { ...request, namespace: 'elsewhere' };
    await settle({
      metadata: { name: 'stranger', namespace: 'chat' },
      request: stranger,
      ca: undefined,
    });
    const files = (name: string) => {
      const secret = cluster.stored({ ...ref, name });
      return { cert: file(secret, 'tls.crt'), key: file(secret, 'tls.key') };
    };
    const trust = { ca: plan().facts.length > 0 ? caPems() : '' };
    const good = await handshake(
      { ...files(metadata.name), ...trust },
      { ...files('eu-relay-tls'), ...trust },
    );
    expect(good).toEqual({ protocol: 'TLSv1.3', client: `URI:${uri}` });
    await expect(
      handshake({ ...files(metadata.name), ...trust }, { ...files('stranger'), ...trust }),
    ).rejects.toThrow();
  });
});

const caPems = () =>
  planCa({ namespace: 'chat', secret: cluster.child(caSecretRef('chat')), now: clock.now() })
    .facts.map(caPem)
    .join('');

interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** One mutual handshake; what both sides saw. */
async function handshake(server: Identity, client: Identity) {
  const listener = createServer({
    ...server,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  const seen = new Promise<string>((resolve, reject) => {
    listener.on('secureConnection', (socket) => {
      resolve((socket.getPeerCertificate().subjectaltname ?? '').split(', ').at(-1) ?? '');
      socket.end('.');
    });
    listener.on('tlsClientError', reject);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', servername: request.dnsNames[0]!, ...client });
  try {
    await Promise.race([once(socket, 'secureConnect'), seen]);
    return { protocol: socket.getProtocol(), client: await seen };
  } finally {
    socket.destroy();
    listener.close();
  }
}

describe('a leaf that grows old', () => {
  beforeEach(() => settle());

  it('S22: is renewed at two thirds of its life with the same key and pins', async () => {
    const before = leaf();
    const { pins } = plan().facts[0]!;
    clock.seconds = 20 * DAY - 60;
    expect(plan().order).toBeUndefined();
    clock.seconds = 20 * DAY;
    expect(await settle()).toBe('CertificateRenewed');
    expect(leaf().serialNumber).not.toBe(before.serialNumber);
    expect(spkiPin(leaf())).toBe(spkiPin(before));
    expect(plan().facts[0]!.pins).toEqual(pins);
  });

  it('S22: takes the announced key after 90 days, so that a client that pinned both never loses it', async () => {
    let pinned = plan().facts[0]!.pins;
    const keys = new Set([spkiPin(leaf())]);
    for (let day = 1; day <= 400; day += 5) {
      clock.seconds = day * DAY;
      await settle();
      expect(leaf().validToDate.getTime()).toBeGreaterThan(clock.now().getTime());
      expect(leaf().verify(ca().publicKey) || day > 180).toBe(true);
      expect(pinned).toContain(spkiPin(leaf()));
      pinned = plan().facts[0]!.pins;
      keys.add(spkiPin(leaf()));
    }
    expect(keys.size).toBeGreaterThanOrEqual(4);
    expect(keys.size).toBeLessThanOrEqual(6);
  });

  it('always verifies against the CA certificates that are published, through CA rotations', async () => {
    for (let day = 1; day <= 800; day += 9) {
      clock.seconds = day * DAY;
      await authorities.signer('chat');
      await settle();
      const trusted = planCa({
        namespace: 'chat',
        secret: cluster.child(caSecretRef('chat')),
        now: clock.now(),
      }).facts.map((fact) => new X509Certificate(caPem(fact)));
      expect(trusted.some((authority) => leaf().verify(authority.publicKey))).toBe(true);
    }
  });

  it('is issued anew with the same key when its names change', async () => {
    const before = spkiPin(leaf());
    const changed = { ...request, dnsNames: ['new.chat.svc'] };
    expect(await settle({ request: changed })).toBe('CertificateNamesChanged');
    expect(leaf().checkHost('new.chat.svc')).toBe('new.chat.svc');
    expect(spkiPin(leaf())).toBe(before);
  });

  it('takes the announced key when a token asks, once', async () => {
    const [, next] = plan().facts[0]!.pins;
    expect(await settle({ rotate: 'now' })).toBe('RotationRequested');
    expect(spkiPin(leaf())).toBe(next);
    expect(await settle({ rotate: 'now' })).toBeUndefined();
  });
});

describe('a Secret that somebody changed', () => {
  beforeEach(() => settle());

  it('T51: has its leaf replaced with a new key', async () => {
    const before = spkiPin(leaf());
    const stored = leafSecret()!;
    cluster.write({ ...stored, data: { ...(stored['data'] as object), 'tls.key': 'eA==' } });
    expect(await settle()).toBe('KeyMaterialChanged');
    expect(spkiPin(leaf())).not.toBe(before);
    expect(leaf().verify(ca().publicKey)).toBe(true);
  });

  it('T51: has its CA replaced, and then every leaf that the old one signed', async () => {
    const before = ca();
    const stored = caSecret()!;
    cluster.write({ ...stored, data: { ...(stored['data'] as object), extra: 'eA==' } });
    await authorities.signer('chat');
    expect(await settle()).toBe('CertificateIssuerChanged');
    expect(leaf().verify(before.publicKey)).toBe(false);
    expect(leaf().verify(ca().publicKey)).toBe(true);
    expect(caPems()).not.toContain(before.toString());
  });

  it('between plan and order is left alone until it is planned again', async () => {
    clock.seconds = 20 * DAY;
    const { order } = plan();
    const stored = leafSecret()!;
    const racing = keysmith.fulfil(undefined, order!);
    cluster.write({ ...stored, data: { 'tls.crt': '', 'tls.key': '' } });
    await expect(racing).rejects.toThrow(KeysChanged);
  });
});

describe('the CA of a namespace', () => {
  it('is made once, however many leaves ask at a time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `leaf-${index}`);
    await Promise.all(
      names.map((name) =>
        keysmith.fulfil(undefined, plan({ metadata: { ...metadata, name } }).order!),
      ),
    );
    expect(cluster.calls.filter((call) => call.endsWith('sallyport-ca'))).toHaveLength(1);
  });

  it('is read once by an operator that starts anew, not once per leaf', async () => {
    await settle();
    cluster.calls.length = 0;
    const fresh = new KeyOrdersKeysmith({
      cluster,
      authorities: new CaKeysmith({ cluster, clock }),
    });
    for (let index = 0; index < 20; index += 1) {
      const { order } = plan({ metadata: { ...metadata, name: `leaf-${index}` } });
      await fresh.fulfil(undefined, order!);
    }
    expect(cluster.calls.filter((call) => call.startsWith('read'))).toEqual([
      'read Secret sallyport-ca',
    ]);
  });

  it('is forgotten after five minutes, so that its key is not in memory for ever', async () => {
    await settle();
    cluster.calls.length = 0;
    clock.seconds = 301;
    await authorities.signer('chat');
    expect(cluster.calls).toEqual(['read Secret sallyport-ca']);
  });
});

describe('lease keys in a Secret', () => {
  const leaseMetadata = { name: 'edge-gateway-lease-keys', namespace: 'chat' };
  const leaseRef = { apiVersion: 'v1', kind: 'Secret', ...leaseMetadata };
  const leasePlan = (wishes = {}) =>
    planLeaseKeys({
      secret: cluster.child(leaseRef),
      metadata: leaseMetadata,
      schedule: { everySeconds: DAY, overlapSeconds: 1_800 },
      wishes,
      now: clock.now(),
    });
  const rotate = async (wishes = {}) => {
    const { order } = leasePlan(wishes);
    if (order) await keysmith.fulfil(undefined, order);
  };

  it('are PKCS 8 files named by key id, whose public halves stand in the annotation', async () => {
    await rotate();
    for (const { kid, public: text } of leasePlan().facts) {
      const key = createPublicKey(file(cluster.stored(leaseRef), `${kid}.pem`));
      const raw = key.export({ type: 'spki', format: 'der' }).subarray(-32);
      expect(raw.toString('base64url')).toBe(text);
      expect(signingKeyId('Lease', raw)).toBe(kid);
    }
    expect(JSON.parse(file(cluster.stored(leaseRef), 'keys.json'))).toEqual(leasePlan().facts);
  });

  it('S22: after a revocation the revoked private half is nowhere', async () => {
    await rotate();
    const { kid } = leasePlan().facts[0]!;
    await rotate({ revoke: kid });
    const files = Object.keys(cluster.stored(leaseRef)!['data'] as object);
    expect(files).not.toContain(`${kid}.pem`);
    expect(files).toHaveLength(3);
  });

  it('S22: a rotation keeps the announced key, byte for byte', async () => {
    await rotate();
    const { kid } = leasePlan().facts.find(({ state }) => state === 'next')!;
    const before = file(cluster.stored(leaseRef), `${kid}.pem`);
    clock.seconds = DAY;
    await rotate();
    expect(leasePlan().facts.find(({ state }) => state === 'current')!.kid).toBe(kid);
    expect(file(cluster.stored(leaseRef), `${kid}.pem`)).toBe(before);
  });

  it('S21: stand in no annotation, label, order or error', async () => {
    await rotate();
    await settle();
    for (const secret of [cluster.stored(leaseRef)!, leafSecret()!, caSecret()!]) {
      const shown = JSON.stringify([
        secret.metadata,
        cluster.child(refOfSecret(secret)),
        leasePlan(),
      ]);
      for (const material of materialOf(secret)) expect(shown).not.toContain(material);
    }
  });

  it('S21: are not quoted by the error about a file that is no key', async () => {
    await rotate();
    clock.seconds = DAY;
    const order = leasePlan().order!;
    const damaged = {
      ...cluster.stored(leaseRef)!,
      data: { [`${order.carry[0]!}.pem`]: 'Y2FuYXJ5' },
    };
    cluster.read = () => Promise.resolve(damaged);
    const error: unknown = await keysmith
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
