import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAccount, type Account } from '../identities.js';
import type { TestEndpoint } from '../processes/gateway-endpoint.js';
import { anotherDevice } from '../processes/gateway-login-bed.js';
import { AskedLease, type IssuedLease } from '../processes/gateway-registry-bed.js';
import { Endpoint } from '../processes/relay-udp-endpoint.js';
import { nameOf } from '../signaling-bed.js';
import { until } from './bus-replicas.js';
import { bodyOf } from './gateway-bed.js';
import { PeopleBed } from './replicas-people.js';
import { atOnce } from './store-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x20);
const carol = anAccount(0x30);
const MAX_LEASES = 8;
/** Answers of a relay to a proof (wire formats, B). */
const PROVED = 0x25;
const REVOKED_WITHIN_MS = 2_000;
const ENDED = 'sallyport_relay_sessions_ended_total{reason="revoked"}';

let bed: PeopleBed;
/** Carol administers. */
beforeAll(async () => {
  bed = await PeopleBed.start((settings) => ({
    ...settings,
    authentication: { ...settings.authentication, administrators: [nameOf(carol)] },
    rateLimits: { ...settings.rateLimits, liveLeasesPerAccount: MAX_LEASES },
  }));
});
afterAll(async () => {
  await (bed as PeopleBed | undefined)?.stop(); // Undefined when it never started.
});

const login = (account: Account, at: number) => bed.gateways.login(account, at);

async function lease(endpoint: TestEndpoint): Promise<IssuedLease> {
  const asked = new AskedLease();
  return asked.issued(String(bodyOf(await endpoint.request('lease.issue', asked.body))['lease']));
}

/** Proves a lease at the relay; gives the kind of its answer. */
async function prove(issued: IssuedLease): Promise<number | undefined> {
  const endpoint = await Endpoint.open(bed.relay.port);
  const answer = await endpoint.prove(issued);
  endpoint.close();
  return answer[2];
}

describe('a relay that is registered at one of three replicas', () => {
  it('takes leases of each of them', async () => {
    for (const at of [0, 1, 2]) {
      const endpoint = await login(alice, at);
      expect(await prove(await lease(endpoint))).toBe(PROVED);
      endpoint.cut();
    }
  });

  it.each([0, 1, 2])(
    'ends a session within 2 s when its lease is revoked at replica %i',
    async (at) => {
      const issued = await lease(await login(bob, (at + 1) % 3));
      expect(await prove(issued)).toBe(PROVED);
      const administrator = await login(carol, at);
      const before = (await bed.relay.metric(ENDED)) ?? 0;
      const began = performance.now();
      const { jti } = issued.claims;
      bodyOf(await administrator.request('admin.lease.revoke', { account: nameOf(bob), jti }));
      await until(
        'the relay has ended it',
        async () => (await bed.relay.metric(ENDED)) === before + 1,
      );
      expect(performance.now() - began).toBeLessThan(REVOKED_WITHIN_MS);
      expect(await prove(issued)).not.toBe(PROVED);
    },
  );

  it('ends what a session had within 2 s when the session is ended at another replica', async () => {
    const issued = await lease(await login(bob, 0));
    expect(await prove(issued)).toBe(PROVED);
    const administrator = await login(carol, 1);
    const before = (await bed.relay.metric(ENDED)) ?? 0;
    const began = performance.now();
    bodyOf(await administrator.request('admin.session.revoke', { account: nameOf(bob) }));
    await until(
      'the relay has ended it',
      async () => (await bed.relay.metric(ENDED)) === before + 1,
    );
    expect(performance.now() - began).toBeLessThan(REVOKED_WITHIN_MS);
  });
});

describe('an account with devices at three replicas', () => {
  it('gets no more leases than its limit, however many it asks for at the same time', async () => {
    const dave = anAccount(0x50);
    const devices = [dave, anotherDevice(dave, 0x60), anotherDevice(dave, 0x70)];
    const endpoints = await atOnce(3, (at) => login(devices[at]!, at));
    const answers = await atOnce(24, (i) =>
      endpoints[i % 3]!.request('lease.issue', new AskedLease().body),
    );
    const given = answers.filter((answer) => 'body' in answer);
    expect(given).toHaveLength(MAX_LEASES);
    for (const answer of answers)
      if ('refused' in answer) expect(answer.refused).toMatchObject({ reason: 'quota-reached' });
  });
});
