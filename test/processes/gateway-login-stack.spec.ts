import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Authenticator } from '../authenticator/authenticator.js';
import { anAccount } from '../identities.js';
import { loginMessage, TestEndpoint, type GatewayPlace } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess, HOST } from './gateway-process.js';

const alice = anAccount(0x10);
const refused = { type: 'refused', reason: 'login-failed' };

describe('a gateway as a process, over TLS 1.3', () => {
  let folder: GatewayFolder;
  let gateway: GatewayProcess;
  let place: GatewayPlace;

  beforeAll(async () => {
    folder = await GatewayFolder.make();
    gateway = await GatewayProcess.ready(folder);
    place = { port: gateway.port, ca: folder.authority.certificate };
  });
  afterAll(async () => {
    await gateway.kill();
    await folder.remove();
  });

  it('S85: refuses a login that was captured on another connection, or signed for the channel of a man in the middle', async () => {
    const victim = await TestEndpoint.open(place);
    const captured = loginMessage(alice, await victim.next(), victim.tls);
    const replay = await TestEndpoint.open(place);
    await replay.next();
    replay.send(captured);
    expect(await replay.next()).toEqual(refused);
    expect(await replay.closed).toEqual({ code: 4401, reason: 'login-refused' });
    // He has the victim answer his own challenge: the victim signs for the channel on which she sees it.
    const man = await TestEndpoint.open(place);
    const relayed = loginMessage(alice, await man.next(), victim.tls);
    man.send(relayed);
    expect(await man.next()).toEqual(refused);
    victim.send(captured);
    expect(await victim.next()).toMatchObject({ type: 'welcome', gateway: 'edge/main' });
    victim.cut();
  });

  it('S85: takes no login without channel binding', async () => {
    const endpoint = await TestEndpoint.open(place);
    expect(await endpoint.login(alice, { binding: 0 })).toEqual(refused);
  });

  it('T31: ends a session with its socket after the answer, and its token is worth nothing then', async () => {
    const endpoint = await TestEndpoint.open(place);
    const welcome = await endpoint.login(alice);
    if (welcome.type !== 'welcome' || welcome.session === undefined) throw new Error(welcome.type);
    const { session } = welcome;
    endpoint.cut();
    const again = await TestEndpoint.open(place);
    const resumed = await again.login(alice, { session });
    expect(resumed).toMatchObject({ type: 'welcome', endsAt: welcome.endsAt });
    expect(resumed).not.toHaveProperty('session');
    expect(await again.request('session.end')).toEqual({ type: 'answer', id: 1, body: {} });
    expect(await again.closed).toEqual({ code: 4403, reason: 'session-ended' });
    const late = await TestEndpoint.open(place);
    expect(await late.login(alice, { session })).toHaveProperty('session');
    late.cut();
  });

  it('S86: enrols a security key and takes its proof for what asks for a fresh one', async () => {
    const endpoint = await TestEndpoint.login(place, anAccount(0x50));
    const key = new Authenticator();
    const body = (answer: unknown) => (answer as { body: Record<string, unknown> }).body;
    const begun = body(await endpoint.request('factor.web-authn.begin'));
    const origin = `https://${HOST}`;
    const created = key.create({
      challenge: String(begun['challenge']),
      rpId: String(begun['rpId']),
      origin,
    });
    const confirmed = await endpoint.request('factor.web-authn.confirm', {
      ...created,
      label: 'key',
    });
    expect(body(confirmed)).toHaveProperty('factor');
    const asked = body(await endpoint.request('step-up.begin'))['webAuthn'] as {
      challenge: string;
      rpId: string;
    };
    const proof = key.get({ ...asked, origin });
    expect(body(await endpoint.request('step-up.prove', { proof }))).toHaveProperty('until');
    const exported = body(await endpoint.request('account.export'))['account'];
    expect(exported).toMatchObject({ factors: [{ kind: 'WebAuthn', label: 'key' }] });
    endpoint.cut();
  });

  it('counts what happened', async () => {
    const failed = (reason: string) =>
      gateway.metric(
        `sallyport_auth_attempts_total{outcome="failure",method="device-key",reason="${reason}"}`,
      );
    expect(await failed('invalid-signature')).toBe(2);
    expect(await failed('wrong-channel')).toBe(1);
    expect(gateway.stdout).toMatch(/"action":"login.refuse".*"reason":"WrongChannel"/);
  });
});
