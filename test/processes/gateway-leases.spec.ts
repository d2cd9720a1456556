import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { KeyFact } from '../../src/operator/keys/facts.js';
import type { BundleRole } from '../../src/policy/roles.js';
import { labelled } from '../../src/protocol/bytes.js';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { anAccount } from '../identities.js';
import { TestEndpoint } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';
import { pair } from './gateway-leases-bed.js';
import { AskedLease, RID } from './gateway-registry-bed.js';
import { directoryGateway, POOL_IDENTITY, RelayFolder, RelayProcess } from './relay-shell-bed.js';
import { forward, type TestLease } from './relay-udp-bed.js';
import { Endpoint, pause } from './relay-udp-endpoint.js';

const PROVED = 0x25;
const REFUSED = 0x26;
const REVOKED = 5;

let folder: GatewayFolder;
let gateway: GatewayProcess;
let relayFolder: RelayFolder;
let relay: RelayProcess;

/** Writes everything that a relay of this gateway needs. */
async function writeRelay(): Promise<void> {
  await relayFolder.writeLeaf(folder.authority.leaf(POOL_IDENTITY));
  await relayFolder.writeSettings();
  const index = await readFile(join(folder.path, 'lease-keys/keys.json'), 'utf8');
  const leaseKeys = (JSON.parse(index) as KeyFact[]).map(
    ({ kid, public: publicKey, notBefore, notAfter }) => ({ kid, publicKey, notBefore, notAfter }),
  );
  const caCertificates = [folder.authority.certificate];
  const over = { port: folder.settings.listeners.internal.port, caCertificates, leaseKeys };
  await relayFolder.writeDirectory([directoryGateway('edge/main', [], over)]);
}

async function becomes(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within time: ${what}\n${gateway.stderr}`);
    await pause(50);
  }
}

/** A signed bundle with one role: everybody may chat, and send files of up to 1,000 bytes. */
function policyBundle(seed: Uint8Array): string {
  const role: BundleRole = {
    name: 'member',
    permissions: [
      { resource: 'Chat', verbs: ['Send', 'Receive'] },
      { resource: 'File', verbs: ['Send'] },
    ],
    mfa: { required: false, hardwareKeyRequired: false },
    calls: { maxParticipants: 2, recording: 'Forbidden', externalParticipants: 'Forbidden' },
    files: { maxBytes: 1_000, scan: false },
    assignment: 'Everyone',
    subjects: [],
  };
  const issuedAt = '2026-01-01T00:00:00Z';
  const content = { v: 1, gateway: 'u-1', serial: 1, issuedAt, roles: [role] };
  const bundle = JSON.stringify(content);
  const message = labelled('sallyport policy bundle v1', [{ variable: Buffer.from(bundle) }]);
  const signature = toBase64url(nodeBackend.ed25519Sign(seed, message));
  return JSON.stringify({ bundle, kid: 'k', signature });
}

beforeAll(async () => {
  const seed = randomBytes(32);
  const publicKeys = [toBase64url(nodeBackend.ed25519PublicKey(seed))];
  folder = await GatewayFolder.make((settings) => ({
    ...settings,
    policy: { ...settings.policy, publicKeys },
  }));
  await folder.mount('policy', { 'bundle.json': policyBundle(seed) });
  relayFolder = await RelayFolder.make();
  await writeRelay();
  relay = await RelayProcess.run(relayFolder);
  const { port } = relay;
  await folder.writeRelays([{ id: RID, region: 'europe', address: '127.0.0.1', port }]);
  gateway = await GatewayProcess.ready(folder);
  const live = 'sallyport_relay_registry_relays{state="Live"}';
  await becomes('the relay is live', async () => (await gateway.metric(live)) === 1);
});
afterAll(async () => {
  await relay.kill();
  await gateway.kill();
  await relayFolder.remove();
  await folder.remove();
});

let accounts = 0;
/** A new account that is logged in. */
const login = () => {
  const place = { port: gateway.port, ca: folder.authority.certificate };
  return TestEndpoint.login(place, anAccount(10 * ++accounts));
};

/** Asks for a lease and gives it ready to be proven. */
async function lease(
  endpoint: TestEndpoint,
  role: 'client' | 'server' = 'client',
  session = pair(),
): Promise<TestLease> {
  const asked = new AskedLease(role, session);
  const answer = await endpoint.request('lease.issue', asked.body);
  if (answer.type !== 'answer' || !('body' in answer)) throw new Error(JSON.stringify(answer));
  return asked.issued(String(answer.body['lease']));
}

describe('an endpoint that is logged in at a gateway with a relay', () => {
  it('is told where the relay is, gets leases for both sides, and talks over it', async () => {
    const endpoint = await login();
    expect(await endpoint.request('relay.choose', { region: 'europe', avoid: [] })).toMatchObject({
      body: { rid: RID, region: 'europe', address: '127.0.0.1', port: relay.port },
    });
    expect(await endpoint.request('relay.choose', { avoid: [RID] })).toMatchObject({
      refused: { code: 503, reason: 'no-relay' },
    });
    const session = pair();
    const [a, b] = [await Endpoint.open(relay.port), await Endpoint.open(relay.port)];
    const one = await lease(endpoint, 'client', session);
    expect((await a.prove(one))[2]).toBe(PROVED);
    expect((await b.prove(await lease(endpoint, 'server', session)))[2]).toBe(PROVED);
    a.send(forward(one.sid, Buffer.from('hello')));
    expect((await b.next()).subarray(20).toString()).toBe('hello');
    a.close();
    b.close();
    endpoint.cut();
  });

  it('T5: loses its leases at the relay within two seconds of its logout', async () => {
    const endpoint = await login();
    const held = await lease(endpoint);
    const socket = await Endpoint.open(relay.port);
    expect((await socket.prove(held))[2]).toBe(PROVED);
    const series = 'sallyport_relay_sessions_ended_total{reason="revoked"}';
    const before = (await relay.metric(series)) ?? 0;
    const since = Date.now();
    endpoint.send({ type: 'request', id: 999, name: 'session.end', body: {} });
    await becomes('the session ended', async () => ((await relay.metric(series)) ?? 0) > before);
    expect(Date.now() - since).toBeLessThan(2_000);
    const answer = await socket.prove(held, 2n);
    expect([answer[2], answer[37]]).toEqual([REFUSED, REVOKED]);
    socket.close();
    endpoint.cut();
  });

  it('gets no more leases than its quota, and one again for each that it gives back', async () => {
    const endpoint = await login();
    const all: TestLease[] = [];
    for (let i = 0; i < 8; i++) all.push(await lease(endpoint));
    const refused = await endpoint.request('lease.issue', new AskedLease().body);
    expect(refused).toMatchObject({ refused: { code: 429, reason: 'quota-reached' } });
    await endpoint.request('lease.return', { jti: all[0]!.claims.jti });
    expect((await lease(endpoint)).token.length).toBeGreaterThan(0);
    endpoint.cut();
  });

  it('gets a grant of what its roles allow', async () => {
    const endpoint = await login();
    const answer = await endpoint.request('grant.issue');
    if (answer.type !== 'answer' || !('body' in answer)) throw new Error(JSON.stringify(answer));
    const [, , payload = ''] = String(answer.body['grant']).split('.');
    const claims = Buffer.from(payload, 'base64url').subarray(0, -64).toString();
    expect(JSON.parse(claims)).toMatchObject({
      sendFiles: true,
      receiveFiles: false,
      maxFileBytes: 1_000,
      startCalls: false,
    });
    endpoint.cut();
  });
});

describe('a gateway that was restarted', () => {
  it('T4: tells relays again what was revoked before', async () => {
    const endpoint = await login();
    const held = await lease(endpoint);
    const gone = relay.child.pid;
    await relay.kill();
    endpoint.send({
      type: 'request',
      id: 999,
      name: 'lease.return',
      body: { jti: held.claims.jti },
    });
    await endpoint.until((message) => message.type === 'answer' && message.id === 999);
    await gateway.kill();
    gateway = await GatewayProcess.ready(folder);
    relay = await RelayProcess.run(relayFolder);
    expect(relay.child.pid).not.toBe(gone);
    const live = 'sallyport_relay_registry_relays{state="Live"}';
    await becomes('the relay is live', async () => (await gateway.metric(live)) === 1);
    // The welcome came before the first heartbeat, and the packet worker has it within a moment.
    await pause(200);
    const socket = await Endpoint.open(relay.port);
    const answer = await socket.prove(held);
    expect([answer[2], answer[37]]).toEqual([REFUSED, REVOKED]);
    socket.close();
  });
});
