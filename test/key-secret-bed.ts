import type { Child } from '../src/kubernetes/cluster.js';
import type { KeyFact } from '../src/operator/keys/facts.js';
import { planLeaseKeys } from '../src/operator/keys/lease-keys.js';
import type { SigningKeysOrder } from '../src/operator/keys/orders.js';
import type { KeyWishes, RelayConfirmation } from '../src/operator/keys/signing-keys.js';

/** When the clock of a new bed starts. */
export const NOON = Date.parse('2026-03-01T12:00:00Z');
const SCHEDULE = { everySeconds: 86_400, overlapSeconds: 1_800 };
const metadata = { name: 'edge-gateway-lease-keys', namespace: 'chat' };

let made = 0;
const kid = () => `kid-${String((made += 1)).padStart(18, '0')}`;
const PUBLIC = 'A'.repeat(43);

/** A key Secret as the cache shows it. */
export function keySecret(
  metadata: { readonly name: string; readonly namespace: string },
  annotations: Readonly<Record<string, string>>,
): Child {
  return {
    ref: { apiVersion: 'v1', kind: 'Secret', ...metadata },
    uid: 'secret',
    resourceVersion: '1',
    generation: 0,
    ownedHash: '',
    labels: {},
    annotations,
    view: { dataHash: 'hash' },
  };
}

/** A gateway's key Secret over time: plans, and does what the keysmith would do with the facts. */
export class KeySecretBed {
  secret: Child | undefined;
  seconds = 0;
  orders: SigningKeysOrder[] = [];

  get now(): Date {
    return new Date(NOON + this.seconds * 1000);
  }

  plan(wishes: KeyWishes = {}, relays?: readonly RelayConfirmation[]) {
    return planLeaseKeys({
      secret: this.secret,
      metadata,
      schedule: SCHEDULE,
      wishes,
      ...(relays === undefined ? {} : { relays }),
      now: this.now,
    });
  }

  /** Plans and fulfils until nothing is to do; gives the reasons. */
  settle(wishes: KeyWishes = {}, relays?: readonly RelayConfirmation[]): string[] {
    const reasons: string[] = [];
    for (;;) {
      const { order } = this.plan(wishes, relays);
      if (order === undefined) return reasons;
      if (reasons.length > 3) throw new Error(`does not settle: ${reasons.join()}`);
      reasons.push(order.reason);
      this.fulfil(order);
    }
  }

  fulfil(order: SigningKeysOrder): void {
    this.orders.push(order);
    const created = order.make.map((fact) => ({ kid: kid(), public: PUBLIC, ...fact }));
    this.write([...created, ...order.keep], order);
  }

  write(
    facts: readonly KeyFact[],
    { rotated, revoked }: Pick<SigningKeysOrder, 'rotated' | 'revoked'>,
  ): void {
    const annotations: Record<string, string> = {
      'sallyport.dev/keys': JSON.stringify(facts),
      'sallyport.dev/material': 'hash',
      ...(rotated === undefined ? {} : { 'sallyport.dev/rotated': rotated }),
      ...(revoked === undefined ? {} : { 'sallyport.dev/revoked': revoked }),
    };
    this.secret = keySecret(metadata, annotations);
  }

  facts(): readonly KeyFact[] {
    return this.plan().facts;
  }

  in(state: KeyFact['state']): KeyFact | undefined {
    return this.facts().find((fact) => fact.state === state);
  }

  waitUntil(time: Date): void {
    this.seconds = (time.getTime() - NOON) / 1000;
  }
}

/** A gateway whose keys are made. */
export function aGateway(): KeySecretBed {
  const gateway = new KeySecretBed();
  gateway.settle();
  return gateway;
}
