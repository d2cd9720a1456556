import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spiffeId } from '../../src/operator/keys/leaf.js';
import { RegistryBed, RID } from './gateway-registry-bed.js';
import { INSTALL } from './gateway-process.js';
import { pair } from './gateway-leases-bed.js';
import { POOL_IDENTITY, RelayFolder, RelayProcess } from './relay-shell-bed.js';
import { forward } from './relay-udp-bed.js';
import { Endpoint, pause, until } from './relay-udp-endpoint.js';

const PROVED = 0x25;
const REFUSED = 0x26;
const REVOKED = 5;

let bed: RegistryBed;
let folder: RelayFolder;
let relay: RelayProcess;
const others: { folder: RelayFolder; relay: RelayProcess }[] = [];
const endpoints: Endpoint[] = [];

const open = async (): Promise<Endpoint> => {
  const endpoint = await Endpoint.open(relay.port);
  endpoints.push(endpoint);
  return endpoint;
};
const anomalies = (kind: string) =>
  bed.leases.count(`sallyport_network_anomalies_total{kind="${kind}"}`);

beforeAll(async () => {
  bed = await RegistryBed.start();
  ({ folder, relay } = await bed.relay());
});
afterEach(async () => {
  for (const endpoint of endpoints.splice(0)) endpoint.close();
  for (const each of others.splice(0)) {
    await each.relay.kill();
    await each.folder.remove();
  }
});
afterAll(async () => {
  // First, so that nothing runs on when the relay did not start.
  await bed.stop();
  await relay.kill();
  await folder.remove();
});

/** Another process under the same id; it shows `identity`. */
async function another(identity = POOL_IDENTITY): Promise<RelayProcess> {
  const made = await RelayFolder.make();
  await made.writeLeaf(bed.folder.authority.leaf(identity));
  await made.writeSettings((settings) => ({
    ...settings,
    pool: { ...settings.pool, identity },
  }));
  await bed.writeGateways(made);
  const process = await RelayProcess.run(made);
  others.push({ folder: made, relay: process });
  return process;
}

describe('a relay that is registered at the gateway', () => {
  it('says who it is, which keys it has and how its clock goes, and is live', () => {
    expect(bed.received[0]).toMatchObject({
      type: 'register',
      pool: 'edge/eu',
      ordinal: 0,
      kids: bed.facts.map(({ kid }) => kid),
    });
    expect(bed.heartbeats[0]).toMatchObject({ seq: 1, draining: false, sessions: 0 });
    expect(bed.state).toBe('Live');
    expect(relay.stdout).toMatch(/"action":"registration.open","outcome":"success"/);
  });

  it('takes the leases that the gateway issues, for both sides, and forwards between them', async () => {
    const [a, b] = [await open(), await open()];
    const session = pair();
    const [one, other] = [await bed.lease('client', session), await bed.lease('server', session)];
    expect((await a.prove(one))[2]).toBe(PROVED);
    expect((await b.prove(other))[2]).toBe(PROVED);
    a.send(forward(one.sid, Buffer.from('hello')));
    expect((await b.next()).subarray(20).toString()).toBe('hello');
  });

  it('T4: ends a session within two seconds of its revocation, and refuses the lease from then on', async () => {
    const endpoint = await open();
    const lease = await bed.lease('client', pair(), 'sp1revoked');
    expect((await endpoint.prove(lease))[2]).toBe(PROVED);
    const series = 'sallyport_relay_sessions_ended_total{reason="revoked"}';
    const before = (await relay.metric(series)) ?? 0;
    const since = Date.now();
    expect(await bed.leases.room.endLeases({ account: 'sp1revoked' })).toBe(1);
    while ((await relay.metric(series)) === before && Date.now() - since < 10_000) await pause(20);
    expect(await relay.metric(series)).toBe(before + 1);
    expect(Date.now() - since).toBeLessThan(2_000);
    const answer = await (await open()).prove(lease, 2n);
    expect([answer[2], answer[37]]).toEqual([REFUSED, REVOKED]);
  });

  it('T4: refuses at once what was revoked while it was away', async () => {
    const lease = await bed.lease('client', pair(), 'sp1away');
    bed.hangUp();
    await until('the relay is gone', () => bed.state === 'Missing');
    await bed.leases.room.endLeases({ account: 'sp1away' });
    await bed.listen();
    await until('it is live again', () => bed.state === 'Live');
    const answer = await (await open()).prove(lease);
    expect([answer[2], answer[37]]).toEqual([REFUSED, REVOKED]);
  });

  it('comes back within five seconds after the gateway was restarted', async () => {
    const registrations = () => bed.received.filter(({ type }) => type === 'register').length;
    const before = registrations();
    bed.hangUp();
    await bed.listen();
    const since = Date.now();
    await until('it is registered again', () => registrations() > before);
    expect(Date.now() - since).toBeLessThan(5_000);
    await until('it is live again', () => bed.state === 'Live');
  });

  it('S23: is the only one of its id: a second process is refused and counted, and the first goes on', async () => {
    const before = await anomalies('relay-second-boot');
    const second = await another();
    await second.answers(200, /./);
    await until('the second one was refused', () =>
      bed.leases.audit.some(
        ({ action, reason }) => action === 'relay.refuse' && reason === 'SecondBoot',
      ),
    );
    expect(await anomalies('relay-second-boot')).toBeGreaterThan(before!);
    expect(bed.state).toBe('Live');
    const seen = bed.heartbeats.length;
    await until('the first one goes on', () => bed.heartbeats.length > seen);
  });

  it('S23: gets nowhere with the certificate of another pool', async () => {
    const before = bed.received.length;
    const stranger = await another(spiffeId(INSTALL, 'edge', 'RelayPool', 'us'));
    await stranger.answers(200, /./);
    const series = 'sallyport_relay_registrations_total{outcome="failure",reason="not-permitted"}';
    const end = Date.now() + 10_000;
    while (!(await bed.leases.count(series)) && Date.now() < end) await pause(50);
    expect(await bed.leases.count(series)).toBeGreaterThan(0);
    expect(bed.received.slice(before).filter(({ type }) => type === 'register')).toEqual([]);
  });

  it('S26: gets no leases while the gateway’s clock and its own are more than five seconds apart', async () => {
    bed.aheadMs = 6_000;
    await until('its clock is off', () => bed.state === 'ClockOff');
    await expect(bed.lease()).rejects.toThrow('refused: no-relay');
    expect(await anomalies('relay-clock')).toBe(1);
    const skew = 'sallyport_clock_skew_seconds';
    const end = Date.now() + 10_000;
    while (((await relay.metric(skew)) ?? 0) > -5 && Date.now() < end) await pause(50);
    expect(await relay.metric(skew)).toBeLessThan(-5);
    bed.aheadMs = 0;
    await until('it is live again', () => bed.state === 'Live');
  });

  it('T19: gets no leases from the moment that it drains, and is not missing when it is gone', async () => {
    const endpoint = await open();
    expect((await endpoint.prove(await bed.lease()))[2]).toBe(PROVED);
    const missing = await anomalies('relay-missing');
    relay.child.kill('SIGTERM');
    await until('it drains', () => bed.state !== 'Live');
    expect(bed.state).toBe('Draining');
    await expect(bed.lease()).rejects.toThrow('refused: no-relay');
    expect(bed.leases.room.handlers['relay.find']!({ rid: RID }, bed.leases.connect())).toEqual({
      refused: 'no-relay',
    });
    expect(await relay.ended).toBe(0);
    expect(bed.heartbeats.at(-1)?.draining).toBe(true);
    await pause(1_000);
    expect(await anomalies('relay-missing')).toBe(missing);
  });
});
