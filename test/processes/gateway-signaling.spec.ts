import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { labelled } from '../../src/protocol/bytes.js';
import { anAccount, bytesOf } from '../identities.js';
import {
  anEnvelope,
  anIntroduction,
  aToken,
  base64url,
  nameOf,
  prekeyText,
} from '../signaling-bed.js';
import { TestEndpoint } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';
import { until } from './relay-udp-endpoint.js';

const alice = anAccount(10);
const bob = anAccount(20);
const TOKEN = aToken(1);

const mallory = anAccount(30);

let folder: GatewayFolder;
let gateway: GatewayProcess;

/** A signed bundle with one role: Alice and Bob may send and receive chat. */
function policyBundle(seed: Uint8Array): string {
  const bundle = JSON.stringify({
    ...{ v: 1, gateway: 'u-1', serial: 1, issuedAt: '2026-03-02T12:00:00Z' },
    roles: [
      {
        name: 'people',
        permissions: [{ resource: 'Chat', verbs: ['Send', 'Receive'] }],
        ...{ mfa: {}, calls: {}, assignment: 'Listed' },
        subjects: [nameOf(alice), nameOf(bob)].sort(),
      },
    ],
  });
  const message = labelled('sallyport policy bundle v1', [{ variable: Buffer.from(bundle) }]);
  const signature = base64url(nodeBackend.ed25519Sign(seed, message));
  return JSON.stringify({ bundle, kid: 'k', signature });
}

const login = (account: typeof alice) =>
  TestEndpoint.login({ port: gateway.port, ca: folder.authority.certificate }, account);
/** A prekey that holds today. */
const prekeyNow = (account: typeof alice) =>
  prekeyText(account, { notBeforeMs: Date.now() - 1_000, notAfterMs: Date.now() + 3_600_000 });

beforeAll(async () => {
  const seed = bytesOf(0x42);
  const publicKey = base64url(nodeBackend.ed25519PublicKey(seed));
  folder = await GatewayFolder.make((settings) => ({
    ...settings,
    policy: { ...settings.policy, publicKeys: [publicKey] },
  }));
  await folder.mount('policy', { 'bundle.json': policyBundle(seed) });
  gateway = await GatewayProcess.ready(folder);
});
afterAll(async () => {
  await (gateway as GatewayProcess | undefined)?.kill(); // Undefined when it never became ready.
  await folder.remove();
});

describe('two endpoints that are logged in at a gateway process over TLS', () => {
  it('S10: find each other, and exchange an introduction and an envelope; what went through is nowhere in log and audit', async () => {
    const [a, b] = [await login(alice), await login(bob)];
    const prekey = prekeyNow(bob);
    expect(await b.request('prekey.publish', { prekey })).toMatchObject({ body: {} });
    expect(await b.request('rendezvous.listen', { tokens: [TOKEN] })).toMatchObject({ body: {} });

    const device = { device: base64url(bob.binding), prekey, revocations: [] };
    expect(await a.request('contact.find', { account: nameOf(bob) })).toMatchObject({
      body: { devices: [device] },
    });
    const introduction = anIntroduction(alice);
    const to = { account: nameOf(bob), device: base64url(bob.deviceId) };
    expect(await a.request('contact.introduce', { ...to, envelope: introduction })).toMatchObject({
      body: {},
    });
    expect(await a.request('rendezvous.prekey', { token: TOKEN })).toMatchObject({ body: device });
    const envelope = anEnvelope(8_192);
    expect(await a.request('envelope.send', { token: TOKEN, envelope })).toMatchObject({
      body: {},
    });

    expect(
      await b.until(
        (message) => message.type === 'notice' && message.name === 'contact.introduced',
      ),
    ).toMatchObject({ body: { envelope: introduction } });
    expect(
      await b.until((message) => message.type === 'notice' && message.name === 'envelope.arrived'),
    ).toMatchObject({ body: { token: TOKEN, envelope } });
    const written = gateway.stdout + gateway.stderr;
    for (const secret of [TOKEN, introduction, envelope.slice(0, 100), prekey, nameOf(bob)])
      expect(written).not.toContain(secret);
  });

  it('T26: the newer of two connections of a device is the one that is reached, and the older one ends', async () => {
    const [a, older] = [await login(alice), await login(bob)];
    const token = aToken(2);
    await older.request('rendezvous.listen', { tokens: [token] });
    const newer = await login(bob);
    // A login without the token of the session before ends that session as well: either may come first.
    expect(['superseded', 'session-ended']).toContain((await older.closed).reason);
    expect(await newer.request('rendezvous.listen', { tokens: [token] })).toMatchObject({
      body: {},
    });
    expect(await a.request('envelope.send', { token, envelope: anEnvelope() })).toMatchObject({
      body: {},
    });
    await newer.until((message) => message.type === 'notice');
  });

  it('are told at once that a peer is absent whose connection was cut', async () => {
    const [a, b] = [await login(alice), await login(bob)];
    const token = aToken(3);
    await b.request('rendezvous.listen', { tokens: [token] });
    b.cut();
    await b.closed;
    const answer = await a.request('envelope.send', { token, envelope: anEnvelope() });
    expect(answer).toMatchObject({ refused: { code: 410, reason: 'peer-absent' } });
  });

  it('S10: are in, while a third one without a role is refused, and that is recorded', async () => {
    const m = await login(mallory);
    const answer = await m.request('contact.find', { account: nameOf(bob) });
    expect(answer).toMatchObject({ refused: { code: 403, reason: 'forbidden' } });
    // The record goes another way than the answer, and may come later.
    await until('record of the refusal', () =>
      /"type":"authorization".*"outcome":"failure"/.test(gateway.stdout),
    );
    expect(gateway.stdout).not.toContain(nameOf(bob));
  });

  it('S28: are counted when they report handshakes', async () => {
    const a = await login(alice);
    await a.request('handshakes.report', { counts: [{ outcome: 'stranger', count: 3 }] });
    const series =
      'sallyport_handshakes_total{outcome="failure",reason="stranger",suite="Noise_XX_25519_ChaChaPoly_BLAKE2s"}';
    expect(await gateway.metric(series)).toBe(3);
  });
});
