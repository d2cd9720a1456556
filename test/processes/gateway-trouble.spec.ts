import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { anAccount, type Account } from '../identities.js';
import { TestEndpoint } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';

const alice = anAccount(0x10);
const UNAVAILABLE = { type: 'refused', reason: 'unavailable', retryAfterSeconds: 5 };
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A gateway with an endpoint that is logged in. */
async function started(change: (settings: GatewaySettings) => GatewaySettings = (same) => same) {
  const folder = await GatewayFolder.make(change);
  ends.push(() => folder.remove());
  return { folder, ...(await running(folder)) };
}

async function running(folder: GatewayFolder) {
  const gateway = await GatewayProcess.ready(folder);
  ends.push(() => gateway.kill());
  const place = { port: gateway.port, ca: folder.authority.certificate };
  const attempt = async (account: Account) => (await TestEndpoint.open(place)).login(account);
  return { gateway, attempt, endpoint: await TestEndpoint.login(place, alice) };
}

describe('a gateway whose disk is full', () => {
  it('says so, refuses new logins with a retry hint, goes on with who is in, and loses nobody whom it let in', async () => {
    const disk = join('/tmp', `sallyport-full-${process.pid}`);
    execFileSync('mkdir', [disk]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
    ends.push(() => {
      execFileSync('umount', [disk]);
      return rm(disk, { recursive: true });
    });
    const { folder, gateway, attempt, endpoint } = await started((settings) => ({
      ...settings,
      storage: { type: 'Embedded', directory: join(disk, 'data') },
    }));
    expect((await attempt(anAccount(0x20))).type).toBe('welcome');
    const filler = join(disk, 'filler');
    await expect(writeFile(filler, Buffer.alloc(4 << 20))).rejects.toThrow('ENOSPC');
    await gateway.answers(503, /the database is not available: full/);
    expect(await attempt(anAccount(0x30))).toEqual(UNAVAILABLE);
    expect(await endpoint.request('device.list')).toHaveProperty('body');
    expect(endpoint.isClosed).toBe(false);
    await rm(filler);
    await gateway.answers(200, /^ready/);
    expect((await attempt(anAccount(0x40))).type).toBe('welcome');
    await gateway.kill();
    const closed = { ...folder.settings.authentication, registration: 'Invite' as const };
    await folder.writeSettings((settings) => ({
      ...settings,
      authentication: closed,
      storage: { type: 'Embedded', directory: join(disk, 'data') },
    }));
    const again = await running(folder);
    const answers = [0x20, 0x30, 0x40].map((seed) => again.attempt(anAccount(seed)));
    expect((await Promise.all(answers)).map(({ type }) => type)).toEqual([
      'welcome',
      'refused',
      'welcome',
    ]);
  });
});

describe('a gateway whose audit records nobody takes any more', () => {
  const withAudit = (onFailure: GatewaySettings['audit']['onFailure']) =>
    started((settings) => ({ ...settings, audit: { ...settings.audit, onFailure } }));

  it('lets nobody log in anew with DenyNewSessions, says so, and goes on with who is in', async () => {
    const { gateway, attempt, endpoint } = await withAudit('DenyNewSessions');
    gateway.child.stdout!.destroy();
    // Its record is the one that is lost.
    await attempt(anAccount(0x20));
    await gateway.answers(503, /audit: records cannot be written, so no new session begins/);
    expect(await attempt(anAccount(0x30))).toEqual(UNAVAILABLE);
    expect(await endpoint.request('device.list')).toHaveProperty('body');
    expect(endpoint.isClosed).toBe(false);
  });

  it('answers nothing with Block, neither to who is in nor to who logs in', async () => {
    const { gateway, attempt, endpoint } = await withAudit('Block');
    gateway.child.stdout!.destroy();
    await attempt(anAccount(0x20));
    await gateway.answers(503, /audit: records cannot be written, so nothing is answered/);
    expect(await attempt(anAccount(0x30))).toEqual(UNAVAILABLE);
    expect(await endpoint.request('device.list')).toMatchObject({
      refused: { reason: 'unavailable', retryAfterSeconds: 5 },
    });
  });

  it('says with BufferEncrypted, before it comes to that, that there is nothing to encrypt for', async () => {
    const { gateway } = await withAudit('BufferEncrypted');
    expect((await gateway.page('/readyz')).body).toContain(
      'audit: onFailure BufferEncrypted needs an AuditLog; it does what DenyNewSessions does',
    );
  });
});
