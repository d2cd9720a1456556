import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayStandIn, type StandInOptions } from './gateway-stand-in.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
  TestAuthority,
} from './relay-shell-bed.js';
import { aSession, TestGateway } from './relay-udp-bed.js';
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

describe('a relay that is told to drain', () => {
  it('does and ends when its gateway says so, telling it first', async () => {
    const here = await standIn();
    await startAt(here);
    await until('it is registered', () => here.heartbeats.length >= 1);
    here.tell({ type: 'drain', deadline: Date.now() + 5_000 });
    expect(await relay.ended).toBe(0);
    expect(here.heartbeats.at(-1)?.draining).toBe(true);
  });

  it('does not when it is a gateway of another namespace', async () => {
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
