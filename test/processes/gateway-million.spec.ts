import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { serverCounters } from '../../src/gateway/server/metrics.js';
import { upgradeRefusal } from '../../src/gateway/server/upgrade-decision.js';
import {
  FirstContactLimit,
  MAX_ACCOUNTS,
} from '../../src/gateway/signaling/first-contact-limit.js';
import { SIGNALING_PATH, SIGNALING_PROTOCOL, type Login } from '../../src/messages/signaling.js';
import { SourceLimiter } from '../../src/runtime/source-limiter.js';
import { createMetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { anAccount } from '../identities.js';
import { HOST, reasonOf, startLogin, type LoginBed } from './gateway-login-bed.js';

const MILLION = 1_000_000;
/** 65,536 accounts with thirteen numbers each, and what a collection leaves lying about. */
const MEMORY_BYTES = 32 << 20;
/** 65,536 addresses. */
const TABLE_BYTES = 14 << 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // What the flag before gives.

/** Bytes in use that the work leaves behind. */
async function leftBy(work: () => Promise<void> | void): Promise<number> {
  collect();
  const before = process.memoryUsage();
  await work();
  collect();
  const after = process.memoryUsage();
  return after.heapUsed + after.external - before.heapUsed - before.external;
}

/** A login that is well-formed and of nobody. */
const STRANGER: Login = {
  type: 'login',
  host: HOST,
  binding: 1,
  device: '',
  revocations: [],
  signature: 'A'.repeat(86),
};
const RULES = {
  path: SIGNALING_PATH,
  protocol: SIGNALING_PROTOCOL,
  hosts: ['gw.example'],
  origins: ['https://good.example'],
};

/** Number `i` as an address: each in a /64 of its own. */
const address = (i: number): string =>
  `2001:db8:${(i >>> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`;

/** As many sets as src/gateway/login/login-judge.ts has for addresses and for accounts. */
const LOGIN_SETS = 16_384;
const ONCE = { count: 1, perMs: 60_000 };

/** Whether signatures are verified: so many take minutes, and none of them is right. */
let verifies = false;
let gateway: LoginBed;
beforeAll(async () => {
  const ed25519Verify: typeof nodeBackend.ed25519Verify = (...signed) =>
    verifies && nodeBackend.ed25519Verify(...signed);
  gateway = await startLogin({ backend: { ...nodeBackend, ed25519Verify } });
});
afterAll(async () => {
  await gateway.stop();
});

describe('a gateway to which a million strangers come', () => {
  it('T25: keeps little of 300,000 addresses and names whose login fails, and lets in who comes then', async () => {
    const rows = (await gateway.disk()).length;
    const reasons = new Set<string>();
    const left = await leftBy(async () => {
      for (let i = 0; i < 300_000; i++) {
        const conversation = gateway.room.begin(gateway.facts({ address: address(i) }));
        const login = { ...STRANGER, device: Buffer.from(`name ${i}`).toString('base64url') };
        reasons.add(reasonOf(await conversation.receive(login)));
        gateway.events.length = 0;
      }
    });
    expect([...reasons]).toEqual(['login-failed']);
    expect(left).toBeLessThan(TABLE_BYTES);
    expect((await gateway.disk()).length).toBe(rows);
    verifies = true;
    const { step } = await gateway.login(anAccount(0x10));
    expect(reasonOf(step)).toBe('welcome');
  });

  it('T25: counts a million addresses in a table of 65,536, denies none of them, and limits the newest', async () => {
    const table = new SourceLimiter(LOGIN_SETS, new Uint8Array(16));
    let denied = 0;
    const left = await leftBy(() => {
      for (let i = 0; i < MILLION; i++) if (!table.take(address(i), ONCE, i / 1_000)) denied++;
    });
    expect(denied).toBe(0);
    expect(table.size).toBe(4 * LOGIN_SETS);
    expect(left).toBeLessThan(TABLE_BYTES);
    expect(table.take(address(MILLION - 1), ONCE, 1_000)).toBe(false);
  });

  it('T25, T35: keeps nothing of a million paths, hosts and origins: there is one series for each reason', async () => {
    const registry = createMetricsRegistry({ processMetrics: false });
    const { upgrades } = serverCounters(registry);
    const before = (await registry.text()).split('\n').length;
    const left = await leftBy(() => {
      for (let i = 0; i < MILLION; i++) {
        const target = i % 3 === 0 ? `/${i}` : RULES.path;
        const headers = ['Host', i % 3 === 1 ? `h${i}.example` : 'gw.example'];
        const rawHeaders = [...headers, 'Origin', `https://o${i}.example`];
        const request = { method: 'GET', target, httpVersion: '1.1', rawHeaders };
        const reason = upgradeRefusal(request, RULES);
        upgrades.inc({ outcome: 'failure', reason: reason ?? 'none' });
      }
    });
    expect(left).toBeLessThan(1 << 20);
    const lines = (await registry.text()).split('\n');
    expect(lines).toHaveLength(before);
    const counted = lines.filter((line) => / 33333[34]$/.test(line)).join(' ');
    for (const reason of ['not-found', 'host', 'origin']) expect(counted).toContain(reason);
  });

  it('T25: keeps little of a million accounts that write to somebody new, and limits the newest like the first', async () => {
    const limit = new FirstContactLimit();
    let denied = 0;
    const left = await leftBy(() => {
      for (let i = 0; i < MILLION; i++) if (limit.take(`sp1${i}`, 2, i) > 0) denied++;
    });
    expect([denied, limit.attempts.size]).toEqual([0, MAX_ACCOUNTS]);
    expect(left).toBeLessThan(MEMORY_BYTES);
    expect(limit.take('sp1999999', 2, MILLION)).toBe(0);
    expect(limit.take('sp1999999', 2, MILLION)).toBeGreaterThan(0);
    expect(limit.take('sp1-after', 2, MILLION)).toBe(0);
  });
});
