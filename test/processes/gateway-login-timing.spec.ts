import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { CryptoBackend } from '../../src/protocol/crypto-backend.js';
import type { Store } from '../../src/gateway/store.js';
import { anAccount } from '../identities.js';
import { fingerprint, reasonOf, startLogin, type LoginBed } from './gateway-login-bed.js';

const SAMPLES = 1_200;

/** What was done for one login: primitives by name and length of input, and calls of the store. */
class Work {
  readonly done: string[] = [];

  readonly backend: CryptoBackend = {
    ...nodeBackend,
    hash: (name, parts, out) => {
      this.done.push(`${name} ${parts.reduce((sum, { length }) => sum + length, 0)}`);
      nodeBackend.hash(name, parts, out);
    },
    ed25519Verify: (key, message, signature) => {
      this.done.push(`verify ${message.length}`);
      return nodeBackend.ed25519Verify(key, message, signature);
    },
  };

  readonly watched = (store: Store): Store =>
    new Proxy(store, {
      get: (target, name, receiver) => {
        this.done.push(String(name));
        return Reflect.get(target, name, receiver) as unknown;
      },
    });

  async of(run: () => Promise<unknown>): Promise<string> {
    this.done.length = 0;
    await run();
    return this.done.join(', ');
  }
}

describe('a login without the signature of the device key', () => {
  let gateway: LoginBed | undefined;
  afterEach(() => gateway?.stop());

  it('T27: costs the same work and gets the same answer for an unknown, a known and a locked account', async () => {
    const work = new Work();
    gateway = await startLogin({
      backend: work.backend,
      wrapStore: work.watched,
      rateLimits: { failedLoginsPerAddressPerMinute: 1_000_000 },
    });
    const bed = gateway;
    const known = anAccount(0x10);
    const locked = anAccount(0x20);
    const unknown = anAccount(0x30);
    const thief = anAccount(0x40);
    await bed.enter(known);
    await bed.enter(locked);
    await bed.store.setAccountState(fingerprint(locked), ['Active'], 'Locked');
    const seen = new Set<string>();
    for (let sample = 0; sample < SAMPLES; sample++) {
      const account = [known, locked, unknown][sample % 3] ?? known;
      const done = await work.of(async () => {
        const { step } = await bed.login(account, { deviceSeed: thief.deviceSeed });
        work.done.push(JSON.stringify(step), reasonOf(step));
      });
      seen.add(done);
    }
    expect([...seen]).toEqual([
      'SHA256 53, SHA256 53, verify 165, verify 100, {"send":{"type":"refused","reason":"login-failed"},"refused":true}, login-failed',
    ]);
  });

  it('T27: verifies two signatures also when the binding is none at all', async () => {
    const work = new Work();
    gateway = await startLogin({ backend: work.backend, wrapStore: work.watched });
    const { login } = gateway;
    const garbage = new Uint8Array(201);
    const done = await work.of(() => login(anAccount(0x10), { device: garbage }));
    expect(done.split(', ').filter((step) => step.startsWith('verify'))).toHaveLength(2);
  });
});
