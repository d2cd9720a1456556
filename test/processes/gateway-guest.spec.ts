import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { ToEndpoint } from '../../src/messages/signaling.js';
import { fingerprintOf } from '../../src/protocol/identity/account.js';
import { parsePaseto, type PasetoParts } from '../../src/protocol/lease/paseto.js';
import { anAccount, type Account } from '../identities.js';
import { seedBundleRoles } from '../seeds/roles.js';
import { bundleOf, POLICY_KEY } from './client-bed.js';
import { TestEndpoint, type GatewayPlace } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';
import { pause } from './relay-udp-endpoint.js';

const GUEST_SECONDS = 3_600;
const PRELOAD = join(import.meta.dirname, 'gateway-clock-preload.ts');

const guest = anAccount(0x10);
const user = anAccount(0x50);
const fingerprint = ({ identity }: Account) => fingerprintOf(nodeBackend, identity);
let folder: GatewayFolder;
let gateway: GatewayProcess;
let place: GatewayPlace;
let aheadMs = 0;

/** The clock of the gateway goes forward. */
async function later(seconds: number): Promise<void> {
  aheadMs += seconds * 1_000;
  const file = join(folder.path, 'clock');
  writeFileSync(`${file}.new`, `${aheadMs}`);
  renameSync(`${file}.new`, file);
  await pause(500);
}
/** What time it is at the gateway. */
const gatewayMs = (): number => Date.now() + aheadMs;

/** Any request of one who may ask it: a message as a person's program sends them. */
const speaks = async (endpoint: TestEndpoint): Promise<string> =>
  (await endpoint.request('session.list')).type;

function welcomed(answer: ToEndpoint) {
  if (answer.type !== 'welcome' || answer.session === undefined) throw new Error(answer.type);
  return { endsAt: answer.endsAt, session: answer.session, roles: answer.roles };
}

beforeAll(async () => {
  const key = POLICY_KEY.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  folder = await GatewayFolder.make((settings) => ({
    ...settings,
    policy: { ...settings.policy, publicKeys: [key.toString('base64url')] },
  }));
  const holders: Readonly<Record<string, Account>> = { guest, user };
  const roles = seedBundleRoles(new Date()).map((role) => {
    const holder = holders[role.name];
    return { ...role, subjects: holder === undefined ? [] : [fingerprint(holder)] };
  });
  await folder.mount('policy', { 'bundle.json': bundleOf(roles) });
  writeFileSync(join(folder.path, 'clock'), '0');
  gateway = GatewayProcess.run(folder, {
    node: ['--import', 'tsx', '--import', PRELOAD],
    env: { CLOCK_FILE: join(folder.path, 'clock') },
  });
  await gateway.answers(200, /^ready/);
  place = { port: gateway.port, ca: folder.authority.certificate };
});
afterAll(async () => {
  await gateway.kill();
  await folder.remove();
});

describe('people with the roles of the seed at a gateway', () => {
  it('S94, S95: are given a grant for files and calls, or for neither', async () => {
    const allowed = async (account: Account) => {
      const endpoint = await TestEndpoint.login(place, account);
      const { body } = (await endpoint.request('grant.issue')) as unknown as {
        readonly body: { readonly grant: string };
      }; // The answer to that request.
      endpoint.cut();
      const { payload } = parsePaseto(Buffer.from(body.grant), body.grant.length) as PasetoParts;
      const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
      const { sendFiles, receiveFiles, startCalls, joinCalls, maxFileBytes } = claims;
      return { sendFiles, receiveFiles, startCalls, joinCalls, maxFileBytes };
    };
    const yes = { sendFiles: true, receiveFiles: true, startCalls: true, joinCalls: true };
    expect(await allowed(user)).toEqual({ ...yes, maxFileBytes: 100_000_000 });
    const no = { sendFiles: false, receiveFiles: false, startCalls: false, joinCalls: false };
    expect(await allowed(guest)).toEqual({ ...no, maxFileBytes: 0 });
  });
});

describe('a guest of the seed at a gateway whose clock is moved', () => {
  it('S95: is cut off 3,600 s after the login, to the second, whatever he does; a user stays', async () => {
    const [visitor, regular] = [await TestEndpoint.open(place), await TestEndpoint.open(place)];
    const { endsAt, session, roles } = welcomed(await visitor.login(guest));
    const stays = welcomed(await regular.login(user));
    expect([roles, stays.roles]).toEqual([['guest'], ['user']]);
    expect(Math.abs(endsAt - GUEST_SECONDS * 1_000 - gatewayMs())).toBeLessThan(5_000);
    // He is never idle for the half hour that the gateway allows.
    for (let third = 1; third <= 3; third++) {
      await later((GUEST_SECONDS - 6) / 3);
      expect([await speaks(visitor), await speaks(regular)]).toEqual(['answer', 'answer']);
    }
    expect(gatewayMs()).toBeLessThan(endsAt);
    expect(await visitor.closed).toEqual({ code: 4403, reason: 'session-ended' });
    expect(gatewayMs()).toBeGreaterThanOrEqual(endsAt);
    expect(gatewayMs()).toBeLessThan(endsAt + 5_000);
    expect(await speaks(regular)).toBe('answer');
    regular.cut();
    const again = await TestEndpoint.open(place);
    expect(welcomed(await again.login(guest, { session })).endsAt).toBeGreaterThan(endsAt);
    again.cut();
  });
});
