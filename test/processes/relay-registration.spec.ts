import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { GatewayStandIn, type StandInOptions } from './gateway-stand-in.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
  TestAuthority,
} from './relay-shell-bed.js';
import { aSession, forward, TestGateway } from './relay-udp-bed.js';
import { Endpoint, until } from './relay-udp-endpoint.js';

const authority = new TestAuthority();
const gateway = new TestGateway();
const identity = directoryGateway('edge/main', []).identity;
const PROVED = 0x25;

let folder: RelayFolder;
let relay: RelayProcess;
let standIns: GatewayStandIn[] = [];

/** A stand-in for `edge/main`, or for whoever `options` say. */
async function standIn(options: Partial<StandInOptions> = {}): Promise<GatewayStandIn> {
  const leaf = authority.leaf(identity);
  const made = await GatewayStandIn.start({ leaf, authority: authority.certificate, ...options });
  standIns.push(made);
  return made;
}

/** Starts a relay that registers at the port of `at`. */
async function startAt(at: GatewayStandIn, name = 'edge/main'): Promise<void> {
  const over = { port: at.port, caCertificates: [authority.certificate] };
  await folder.writeDirectory([directoryGateway(name, [gateway.key({ gateway: name })], over)]);
  relay = await RelayProcess.run(folder);
  await relay.answers(200, /^ready$/m);
}

beforeAll(async () => {
  folder = await RelayFolder.make();
  await folder.writeLeaf(authority.leaf(POOL_IDENTITY));
});
beforeEach(() => folder.writeSettings());
afterEach(async () => {
  await relay.kill();
  await Promise.all(standIns.map((each) => each.close()));
  standIns = [];
});
afterAll(() => folder.remove());

describe('a relay that is registered at its gateway', () => {
  it('shows its certificate, says who it is and which keys it has, and what its clock is', async () => {
    const here = await standIn({ aheadMs: 3_000 });
    await startAt(here);
    await until('a second heartbeat', () => here.heartbeats.length >= 2);
    expect(here.relays).toEqual([expect.stringContaining(`URI:${POOL_IDENTITY}`)]);
    expect(here.received[0]).toMatchObject({
      type: 'register',
      pool: 'edge/eu',
      ordinal: 0,
      wire: 1,
      profile: 'Standard',
      kids: [gateway.kid],
    });
    const [first, second] = here.heartbeats;
    expect(first).toMatchObject({ seq: 1, draining: false, kids: [gateway.kid], sessions: 0 });
    expect(second!.at - first!.at).toBeGreaterThan(4_000);
    expect(await relay.metric('sallyport_clock_skew_seconds')).toBeLessThan(-2);
    expect(relay.stdout).toMatch(/"action":"registration.open","outcome":"success"/);
  });

  it('ends a lease within two seconds of its revocation, and no lease of another gateway', async () => {
    const here = await standIn();
    await startAt(here);
    const endpoint = await Endpoint.open(relay.port);
    const peer = await Endpoint.open(relay.port);
    const sid = aSession();
    const lease = gateway.lease(sid, 'client');
    await endpoint.prove(lease);
    expect((await peer.prove(gateway.lease(sid, 'server')))[2]).toBe(PROVED);
    endpoint.send(forward(sid, Buffer.from('before')));
    await peer.next();
    await until('it is registered', () => here.heartbeats.length >= 1);
    const since = Date.now();
    here.tell({ type: 'revoke', jti: [lease.claims.jti], kids: [] });
    const revoked = async () =>
      relay.metric('sallyport_relay_sessions_ended_total{reason="revoked"}');
    while ((await revoked()) !== 1 && Date.now() - since < 10_000);
    expect(await revoked()).toBe(1);
    expect(Date.now() - since).toBeLessThan(2_000);
    endpoint.send(forward(sid, Buffer.from('after')));
    expect(await peer.hearsNothing()).toBe(true);
    endpoint.close();
    peer.close();
  });

  it('refuses at once what was revoked while it was away', async () => {
    const lease = gateway.lease(aSession(), 'client');
    const other = toBase64url(new Uint8Array(16));
    const here = await standIn({ welcome: { revoked: [lease.claims.jti, other], kids: [] } });
    await startAt(here);
    await until('it is registered', () => here.heartbeats.length >= 1);
    const endpoint = await Endpoint.open(relay.port);
    const answer = await endpoint.prove(lease);
    expect([answer[2], answer[37]]).toEqual([0x26, 5]);
    endpoint.close();
  });

  it('comes back within five seconds after the gateway was restarted', async () => {
    const first = await standIn();
    await startAt(first);
    await until('it is registered', () => first.heartbeats.length >= 1);
    const { port } = first;
    await first.close();
    standIns = [];
    const second = await standIn({ port });
    const since = Date.now();
    await until('it is registered again', () => second.heartbeats.length >= 1);
    expect(Date.now() - since).toBeLessThan(5_000);
  });

  it('drains and ends when its gateway says so, telling it first', async () => {
    const here = await standIn();
    await startAt(here);
    await until('it is registered', () => here.heartbeats.length >= 1);
    here.tell({ type: 'drain', deadline: Date.now() + 5_000 });
    expect(await relay.ended).toBe(0);
    expect(here.heartbeats.at(-1)?.draining).toBe(true);
  });

  it('is not ended by a gateway of another namespace', async () => {
    const name = 'partners/main';
    const leaf = authority.leaf(directoryGateway(name, []).identity);
    const here = await standIn({ leaf });
    await startAt(here, name);
    await until('it is registered', () => here.heartbeats.length >= 1);
    here.tell({ type: 'drain', deadline: Date.now() });
    await relay.said('drain refused');
    expect(await relay.answers(200, /^ready$/m)).toBe('ready\n');
  });
});

describe('a registration endpoint that is not the gateway', () => {
  const stranger = new TestAuthority('edge');
  it.each([
    [
      'has a key of another authority',
      { leaf: stranger.leaf(identity) },
      'unknown-authority',
      'UnknownAuthority',
    ],
    [
      'has the identity of another gateway',
      { leaf: authority.leaf(`${identity}-2`) },
      'wrong-identity',
      'WrongIdentity',
    ],
    [
      'has the name of another host',
      { leaf: authority.leaf(identity, 'other.example') },
      'wrong-name',
      'WrongName',
    ],
    [
      'has a certificate that has ended',
      { leaf: authority.leaf(identity, 'localhost', -1_000) },
      'not-in-time',
      'NotInTime',
    ],
    [
      'says what is no message',
      { insteadOfWelcome: '{"type":"welcome","revoked":[],"kids":[],"more":1}' },
      'wrong-message',
      'WrongMessage',
    ],
  ])('S25: %s: it is refused, and that is an event', async (_, options, reason, recorded) => {
    const here = await standIn(options);
    await startAt(here);
    await relay.said('registration endpoint refused');
    expect(relay.stderr).toContain(`"reason":"${reason}"`);
    const record = `"action":"registration.refuse","outcome":"failure","reason":"${recorded}"`;
    await until('it is on record', () => relay.stdout.includes(record));
    const series = 'sallyport_relay_registration_attempts_total';
    expect(await relay.metric(`${series}{outcome="failure",reason="${reason}"}`)).toBeGreaterThan(
      0,
    );
    expect(
      await relay.metric('sallyport_network_anomalies_total{kind="registration-endpoint"}'),
    ).toBeGreaterThan(0);
    expect(here.heartbeats).toEqual([]);
    // Sessions do not depend on it.
    const endpoint = await Endpoint.open(relay.port);
    expect((await endpoint.prove(gateway.lease(aSession(), 'client')))[2]).toBe(PROVED);
    endpoint.close();
  });
});
