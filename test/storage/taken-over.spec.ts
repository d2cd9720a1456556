import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createColumnKeys } from '../../src/gateway/storage/column-keys.file.js';
import { anAccount } from '../identities.js';
import { TestEndpoint } from '../processes/gateway-endpoint.js';
import { nameOf } from '../signaling-bed.js';
import { bodyOf, GatewayBed } from './gateway-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x20);
const admin = anAccount(0x30);

let bed: GatewayBed;
let keysFile: string;

/** A factor of the account; gives a code of its app. */
async function enrol(endpoint: TestEndpoint): Promise<() => string> {
  const { secret: text } = bodyOf(await endpoint.request('factor.totp.begin'));
  const secret = Buffer.from(String(text), 'base64url');
  let step = 0;
  const next = () => {
    const epoch = Math.floor(Date.now() / 1_000) + 30 * step++;
    return generateSync({ secret, epoch });
  };
  bodyOf(await endpoint.request('factor.totp.confirm', { code: next(), label: 'phone' }));
  return next;
}

/** A gateway that was deleted and made anew on the database that it left: its Secrets are new ones. */
beforeAll(async () => {
  bed = await GatewayBed.start((settings) => ({
    ...settings,
    authentication: {
      ...settings.authentication,
      administrators: [nameOf(admin)],
      secondFactors: { allowed: ['Totp'], requiredFor: 'Everyone' },
    },
  }));
  keysFile = join(dirname(dirname(bed.database.settings.storage.uriFile)), 'column-keys/keys.json');
  await enrol(await bed.login(alice, 0));
  await enrol(await bed.login(bob, 0));
  for (const at of [0, 1, 2]) await bed.killReplica(at);
  await rm(keysFile);
  await bed.database.admin(`update sallyport.policy_serial set uid = 'u-0'`);
  await createColumnKeys(keysFile, (count) => Uint8Array.from(randomBytes(count)));
  await bed.startReplica(0);
});
afterAll(async () => {
  await (bed as GatewayBed | undefined)?.stop(); // Undefined when it never started.
});

describe('a gateway on a database that another gateway left', () => {
  it('takes no policy, and says that the database belongs to another one', async () => {
    await bed.replica(0).answers(200, /policy bundle: other-database/);
    const taken = 'sallyport_policy_bundles_total{outcome="other-database"}';
    expect(await bed.replica(0).metric(taken)).toBeGreaterThan(0);
  });

  it('is ready, and says how many secrets it cannot open and what to do', async () => {
    const body = await bed.replica(0).answers(200, /column keys/);
    expect(body).toContain(
      "storage: 2 TOTP secrets are sealed with column keys that are not here: restore the keys, or reset these accounts' factors",
    );
  });

  it('lets nobody in without the factor that it cannot read, and everybody whose factors were reset', async () => {
    const attempt = async () => (await TestEndpoint.open(bed.place(0))).login(alice);
    expect(await attempt()).toMatchObject({ type: 'refused', reason: 'unavailable' });
    const administrator = await bed.login(admin, 0);
    const code = await enrol(administrator);
    bodyOf(await administrator.request('step-up.begin'));
    bodyOf(await administrator.request('step-up.prove', { proof: { kind: 'TOTP', code: code() } }));
    bodyOf(await administrator.request('admin.factor.reset', { account: nameOf(alice) }));
    expect(await attempt()).toMatchObject({ type: 'welcome' });
  });
});
