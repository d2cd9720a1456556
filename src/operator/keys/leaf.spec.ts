import { createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';

import {
  DAY,
  file,
  LeafBed,
  metadata,
  ref,
  request,
  spkiPin,
  START,
} from '../../../test/leaf-bed.js';
import { caPem, caSecretRef, planCa } from './ca.js';
import { pinOf } from './label.js';
import { spiffeId } from './leaf.js';

let bed: LeafBed;

beforeEach(() => {
  bed = new LeafBed();
});

describe('a new leaf', () => {
  beforeEach(() => bed.settle());

  it('verifies against the CA of its namespace, which was made with it', () => {
    expect(bed.leaf().verify(bed.ca().publicKey)).toBe(true);
    expect(bed.leaf().checkIssued(bed.ca())).toBe(true);
    expect(bed.ca().ca).toBe(true);
    expect(bed.leaf().ca).toBe(false);
    expect(bed.cluster.calls).toEqual([
      'apply Secret sallyport-ca',
      'apply Secret edge-gateway-internal-tls',
    ]);
  });

  it('carries its DNS names and the SPIFFE id of its resource', () => {
    expect(bed.leaf().subjectAltName).toBe(
      'DNS:edge-gateway-internal.chat.svc, DNS:edge-gateway-internal.chat.svc.cluster.local, ' +
        'URI:spiffe://prod.sallyport/ns/chat/SignalingGateway/edge',
    );
    expect(bed.leaf().checkHost('edge-gateway-internal.chat.svc')).toBeDefined();
    expect(bed.leaf().checkHost('other.chat.svc')).toBeUndefined();
  });

  it('may serve and call, as asked, and nothing else', () => {
    expect(bed.leaf().keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('is valid a minute before now, for thirty days', () => {
    expect(bed.leaf().validFromDate).toEqual(new Date(START - 60_000));
    expect(bed.leaf().validToDate).toEqual(new Date(START + 30 * DAY * 1000));
  });

  it('shows serial, dates and pins in its annotation: the pin of its key, then of the next', () => {
    const [fact] = bed.plan().facts;
    expect(fact).toMatchObject({
      serial: bed.leaf().serialNumber.toLowerCase(),
      notBefore: '2026-03-01T11:59:00Z',
      notAfter: '2026-03-31T12:00:00Z',
    });
    // Who may know the next key but not have it reads its pin.
    expect(file(bed.leafSecret(), 'next.pin')).toBe(`${fact!.pins[1]}\n`);
    const next = createPublicKey(file(bed.leafSecret(), 'next.key'));
    expect(fact!.pins).toEqual([
      spkiPin(bed.leaf()),
      pinOf(next.export({ type: 'spki', format: 'der' })),
    ]);
  });

  it('has the key that belongs to it', () => {
    const signature = sign('sha256', Buffer.from('x'), file(bed.leafSecret(), 'tls.key'));
    expect(verify('sha256', Buffer.from('x'), bed.leaf().publicKey, signature)).toBe(true);
  });

  it('is a Secret of type kubernetes.io/tls whose digest is that of its data', () => {
    expect(bed.leafSecret()!['type']).toBe('kubernetes.io/tls');
    const child = bed.cluster.child(ref)!;
    expect(child.annotations['sallyport.dev/material']).toBe(child.view['dataHash']);
  });

  it('does mutual TLS 1.3 with another leaf of the same CA, and not with one of another', async () => {
    bed.clock.seconds = (Date.now() - START) / 1000; // TLS judges dates by the clock of this machine.
    await bed.settle();
    const other = { name: 'eu-relay-tls', namespace: 'chat' };
    const uri = spiffeId('prod', 'chat', 'RelayPool', 'eu');
    await bed.settle({
      metadata: other,
      request: { ...request, dnsNames: ['eu-relay.chat.svc'], uri },
    });
    const stranger = { ...request, namespace: 'elsewhere' };
    await bed.settle({
      metadata: { name: 'stranger', namespace: 'chat' },
      request: stranger,
      ca: undefined,
    });
    const files = (name: string) => {
      const secret = bed.cluster.stored({ ...ref, name });
      return { cert: file(secret, 'tls.crt'), key: file(secret, 'tls.key') };
    };
    const trust = { ca: bed.plan().facts.length > 0 ? bed.caPems() : '' };
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
  beforeEach(() => bed.settle());

  it('S22: is renewed at two thirds of its life with the same key and pins', async () => {
    const before = bed.leaf();
    const { pins } = bed.plan().facts[0]!;
    bed.clock.seconds = 20 * DAY - 60;
    expect(bed.plan().order).toBeUndefined();
    bed.clock.seconds = 20 * DAY;
    expect(await bed.settle()).toBe('CertificateRenewed');
    expect(bed.leaf().serialNumber).not.toBe(before.serialNumber);
    expect(spkiPin(bed.leaf())).toBe(spkiPin(before));
    expect(bed.plan().facts[0]!.pins).toEqual(pins);
  });

  it('S22: takes the announced key after 90 days, so that a client that pinned both never loses it', async () => {
    let pinned = bed.plan().facts[0]!.pins;
    const keys = new Set([spkiPin(bed.leaf())]);
    for (let day = 1; day <= 400; day += 5) {
      bed.clock.seconds = day * DAY;
      await bed.settle();
      expect(bed.leaf().validToDate.getTime()).toBeGreaterThan(bed.clock.now().getTime());
      expect(bed.leaf().verify(bed.ca().publicKey) || day > 180).toBe(true);
      expect(pinned).toContain(spkiPin(bed.leaf()));
      pinned = bed.plan().facts[0]!.pins;
      keys.add(spkiPin(bed.leaf()));
    }
    expect(keys.size).toBeGreaterThanOrEqual(4);
    expect(keys.size).toBeLessThanOrEqual(6);
  });

  it('always verifies against the CA certificates that are published, through CA rotations', async () => {
    for (let day = 1; day <= 800; day += 9) {
      bed.clock.seconds = day * DAY;
      await bed.authorities.signer('chat');
      await bed.settle();
      const trusted = planCa({
        namespace: 'chat',
        secret: bed.cluster.child(caSecretRef('chat')),
        now: bed.clock.now(),
      }).facts.map((fact) => new X509Certificate(caPem(fact)));
      expect(trusted.some((authority) => bed.leaf().verify(authority.publicKey))).toBe(true);
    }
  });

  it('is issued anew with the same key when its names change', async () => {
    const before = spkiPin(bed.leaf());
    const changed = { ...request, dnsNames: ['new.chat.svc'] };
    expect(await bed.settle({ request: changed })).toBe('CertificateNamesChanged');
    expect(bed.leaf().checkHost('new.chat.svc')).toBe('new.chat.svc');
    expect(spkiPin(bed.leaf())).toBe(before);
  });

  it('takes the announced key when a token asks, once', async () => {
    const [, next] = bed.plan().facts[0]!.pins;
    bed.clock.seconds = DAY;
    expect(await bed.settle({ rotate: 'now' })).toBe('RotationRequested');
    expect(spkiPin(bed.leaf())).toBe(next);
    expect(await bed.settle({ rotate: 'now' })).toBeUndefined();
  });
});

describe('a rotate token on a leaf', () => {
  beforeEach(() => bed.settle());

  it('S22: waits until the next pin has been published for a day, and says until when', async () => {
    bed.clock.seconds = DAY - 1;
    const waiting = bed.plan({ rotate: 'now' });
    expect(waiting.order).toBeUndefined();
    expect(waiting.rotationPending).toBe(true);
    expect(waiting.nextAt).toEqual(new Date(START + DAY * 1000));
    expect(waiting.problem?.reason).toBe('NextPinTooNew');
    expect(waiting.problem?.message).toContain('2026-03-02T12:00:00Z');
    bed.clock.seconds = DAY;
    expect(await bed.settle({ rotate: 'now' })).toBe('RotationRequested');
    expect(bed.plan({ rotate: 'now' }).problem).toBeUndefined();
  });

  it('S22: and another one after it never drop both pins that a client holds', async () => {
    bed.clock.seconds = DAY;
    const pinned = bed.plan().facts[0]!.pins;
    expect(await bed.settle({ rotate: 'one' })).toBe('RotationRequested');
    for (const token of ['two', 'three']) {
      expect(await bed.settle({ rotate: token })).toBeUndefined();
      expect(pinned).toContain(spkiPin(bed.leaf()));
    }
  });

  it('is not forgotten when the certificate is renewed while it waits', async () => {
    bed.clock.seconds = DAY / 2;
    const changed = { ...request, dnsNames: ['new.chat.svc'] };
    const before = spkiPin(bed.leaf());
    const { order } = bed.plan({ request: changed, rotate: 'now' });
    expect(order).toMatchObject({ reason: 'CertificateNamesChanged', key: 'Keep' });
    await bed.keysmith.fulfil(undefined, order!);
    expect(spkiPin(bed.leaf())).toBe(before);
    bed.clock.seconds = DAY;
    expect(await bed.settle({ request: changed, rotate: 'now' })).toBe('RotationRequested');
  });

  it('that stands when the key is made is answered by it', async () => {
    const other = { rotate: 'now', metadata: { name: 'other', namespace: 'chat' } };
    expect(await bed.settle(other)).toBe('CertificateIssued');
    bed.clock.seconds = 2 * DAY;
    expect(await bed.settle(other)).toBeUndefined();
  });
});
