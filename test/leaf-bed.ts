import { X509Certificate } from 'node:crypto';
import { expect } from '@jest/globals';

import type { KubernetesObject } from '../src/kubernetes/object.js';
import { caPem, caSecretRef, planCa } from '../src/operator/keys/ca.js';
import { CaKeysmith } from '../src/operator/keys/ca.keysmith.js';
import { KeyOrdersKeysmith } from '../src/operator/keys/key-orders.keysmith.js';
import { pinOf } from '../src/operator/keys/label.js';
import { planLeaf, spiffeId } from '../src/operator/keys/leaf.js';
import type { LeafInput } from '../src/operator/keys/leaf.js';
import type { LeafRequest } from '../src/operator/keys/orders.js';
import { StoreCluster } from './store.cluster.js';

/** When the clock of a new bed starts. */
export const START = Date.parse('2026-03-01T12:00:00Z');
/** Seconds. */
export const DAY = 86_400;

/** Time that a test moves. */
class TestClock {
  seconds = 0;
  readonly now = () => new Date(START + this.seconds * 1000);
  readonly monotonicMs = () => this.seconds * 1000;
}

/** Where the leaf of these tests is. */
export const metadata = { name: 'edge-gateway-internal-tls', namespace: 'chat' };
/** The same as a reference. */
export const ref = { apiVersion: 'v1', kind: 'Secret', ...metadata };
/** What the leaf says. */
export const request: LeafRequest = {
  namespace: 'chat',
  dnsNames: ['edge-gateway-internal.chat.svc', 'edge-gateway-internal.chat.svc.cluster.local'],
  uri: spiffeId('prod', 'chat', 'SignalingGateway', 'edge'),
  usages: ['serverAuth', 'clientAuth'],
};

/** One leaf, its CA, and the keysmith that makes both, over time. */
export class LeafBed {
  readonly cluster = new StoreCluster();
  readonly clock = new TestClock();
  readonly authorities = new CaKeysmith(this);
  readonly keysmith = new KeyOrdersKeysmith(this);

  plan(input: Partial<LeafInput> = {}) {
    return planLeaf({
      secret: this.cluster.child({ ...ref, name: input.metadata?.name ?? ref.name }),
      ca: this.cluster.child(caSecretRef('chat')),
      metadata,
      request,
      now: this.clock.now(),
      ...input,
    });
  }

  /** Plans and fulfils; gives the reason, undefined when nothing was to do. */
  async settle(input: Partial<LeafInput> = {}): Promise<string | undefined> {
    const { order } = this.plan(input);
    if (order) await this.keysmith.fulfil(undefined, order);
    expect(this.plan(input).order).toBeUndefined();
    return order?.reason;
  }

  leafSecret(): KubernetesObject | undefined {
    return this.cluster.stored(ref);
  }

  leaf(): X509Certificate {
    return new X509Certificate(file(this.leafSecret(), 'tls.crt'));
  }

  caSecret(): KubernetesObject | undefined {
    return this.cluster.stored(caSecretRef('chat'));
  }

  ca(): X509Certificate {
    return new X509Certificate(file(this.caSecret(), 'tls.crt'));
  }

  /** PEM of all CA certificates that count now. */
  caPems(): string {
    const secret = this.cluster.child(caSecretRef('chat'));
    const { facts } = planCa({ namespace: 'chat', secret, now: this.clock.now() });
    return facts.map(caPem).join('');
  }
}

/** A file of a Secret as text. */
export const file = (object: KubernetesObject | undefined, name: string): string =>
  Buffer.from((object?.['data'] as Record<string, string>)[name] ?? '', 'base64').toString();

/** The pin of the key of a certificate. */
export const spkiPin = (certificate: X509Certificate): string =>
  pinOf(certificate.publicKey.export({ type: 'spki', format: 'der' }));
