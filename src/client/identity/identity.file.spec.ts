import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { toHex } from '../../protocol/bytes.js';
import { IdentityFile, type IdentityPlace } from './identity.file.js';

const NOW = 1_788_264_000_000;
const DAY = 86_400_000;
const PASSPHRASE = Buffer.from('vivid otter quarrels gently 88');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-identity-'));
const at = (name: string, more: Partial<IdentityPlace> = {}): IdentityPlace => ({
  path: join(folder, name),
  passphrase: PASSPHRASE,
  backend: nodeBackend,
  nowMs: NOW,
  ...more,
});

let file: IdentityFile;
let phrase: string;
beforeAll(async () => {
  file = await IdentityFile.create(at('identity'), 12);
  phrase = file.identity.phrase()!;
});
afterAll(() => {
  file.close();
  rmSync(folder, { recursive: true });
});

describe('an identity file', () => {
  it('S55: is readable by its owner alone, and holds no key as it is', () => {
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(file.path);
    const record = file.identity.encode();
    for (const start of [1, 33, 65, 307])
      expect(bytes.includes(Buffer.from(record.subarray(start, start + 16)))).toBe(false);
    expect(bytes.includes(phrase.split(' ')[0]!)).toBe(false);
    record.fill(0);
    expect(toHex(bytes.subarray(0, 13))).toBe('53505345414c4544' + '01' + '01' + '110801');
  });

  it('gives the same account, device and serial when it is opened', async () => {
    const again = await IdentityFile.open(at('identity'));
    expect(again.identity.fingerprint).toBe(file.identity.fingerprint);
    expect(again.identity.bindingBytes).toEqual(file.identity.bindingBytes);
    expect(toHex(again.identity.staticKey.privateKey)).toBe(
      toHex(file.identity.staticKey.privateKey),
    );
    again.close();
    expect(() => again.identity.staticKey).toThrow(
      expect.objectContaining({ code: 'ERR_IDENTITY_CLOSED' }),
    );
    expect(again.context.keys.liveSlices).toBe(0);
  });

  it('S55: does not open with another passphrase, or when a byte of it was changed', async () => {
    const wrong = at('identity', { passphrase: Buffer.from('vivid otter quarrels gently 89') });
    await expect(IdentityFile.open(wrong)).rejects.toMatchObject({
      code: 'ERR_IDENTITY_PASSPHRASE',
    });
    const bytes = readFileSync(file.path);
    for (const [offset, code] of [
      [5, 'ERR_IDENTITY_FILE_FORMAT'],
      [8, 'ERR_IDENTITY_FILE_FORMAT'],
      [10, 'ERR_IDENTITY_FILE_FORMAT'],
      [40, 'ERR_IDENTITY_PASSPHRASE'],
      [bytes.length - 1, 'ERR_IDENTITY_PASSPHRASE'],
    ] as const) {
      const changed = Buffer.from(bytes);
      changed[offset]! ^= 0x40;
      writeFileSync(join(folder, 'changed'), changed, { mode: 0o600 });
      await expect(IdentityFile.open(at('changed'))).rejects.toMatchObject({ code });
    }
  });

  it.each(['640', '604', '660', '666'])('T48: is refused with mode %s', async (mode) => {
    writeFileSync(join(folder, 'open'), readFileSync(file.path));
    chmodSync(join(folder, 'open'), parseInt(mode, 8));
    await expect(IdentityFile.open(at('open'))).rejects.toMatchObject({
      code: 'ERR_IDENTITY_FILE_MODE',
    });
  });

  it('is refused when it is a link, a folder, or not there', async () => {
    symlinkSync(file.path, join(folder, 'link'));
    await expect(IdentityFile.open(at('link'))).rejects.toMatchObject({
      code: 'ERR_IDENTITY_FILE_MODE',
    });
    await expect(IdentityFile.open(at('.'))).rejects.toMatchObject({
      code: 'ERR_IDENTITY_FILE_MODE',
    });
    await expect(IdentityFile.open(at('none'))).rejects.toMatchObject({
      code: 'ERR_IDENTITY_MISSING',
    });
  });

  it('is never overwritten by a new identity', async () => {
    const before = readFileSync(file.path);
    await expect(IdentityFile.create(at('identity'), 12)).rejects.toMatchObject({
      code: 'ERR_IDENTITY_EXISTS',
    });
    expect(readFileSync(file.path)).toEqual(before);
  });

  it('S191: is not made under a passphrase that attackers try first', async () => {
    const weak = at('weak', { passphrase: Buffer.from('P@ssw0rd1234!!') });
    await expect(IdentityFile.create(weak)).rejects.toMatchObject({
      code: 'ERR_IDENTITY_WEAK_PASSPHRASE',
      reason: 'passphrase-breached',
    });
  });

  it('is sealed anew under another passphrase', async () => {
    const other = await IdentityFile.restore(at('moving'), { phrase });
    await other.changePassphrase(Buffer.from('eleven grumpy lighthouses'));
    other.close();
    await expect(IdentityFile.open(at('moving'))).rejects.toMatchObject({
      code: 'ERR_IDENTITY_PASSPHRASE',
    });
    const again = await IdentityFile.open(
      at('moving', { passphrase: Buffer.from('eleven grumpy lighthouses') }),
    );
    expect(again.identity.fingerprint).toBe(file.identity.fingerprint);
    again.close();
  });

  it('has its binding renewed 60 days before its end, with a higher serial', async () => {
    const restored = await IdentityFile.restore(at('old'), { phrase });
    const { serial } = restored.identity.binding;
    restored.close();
    const later = await IdentityFile.open(at('old', { nowMs: NOW + 306 * DAY }));
    expect(later.identity.binding.serial).toBeGreaterThan(serial);
    expect(later.identity.binding.notAfterMs).toBe(NOW + (306 + 365) * DAY);
    later.close();
    const again = await IdentityFile.open(at('old', { nowMs: NOW + 307 * DAY }));
    expect(again.identity.binding.serial).toBe(later.identity.binding.serial);
    again.close();
  });
});

describe('the phrase of an identity', () => {
  it('S198: is kept until it was typed again, and then only the person has it', async () => {
    const made = await IdentityFile.create(at('backup'), 15);
    const words = made.identity.phrase()!;
    expect(words.split(' ')).toHaveLength(15);
    expect(made.identity.confirmBackup(words.replace(/^\S+/, 'zoo'))).toBe(false);
    expect(made.identity.needsBackup).toBe(true);
    expect(made.identity.confirmBackup(`  ${words.toUpperCase()} `)).toBe(true);
    await made.save();
    made.close();
    const again = await IdentityFile.open(at('backup'));
    expect(again.identity.phrase()).toBeUndefined();
    again.close();
  });

  it('S56: restores the account on another device, with keys of its own', async () => {
    const other = await IdentityFile.restore(at('other'), { phrase });
    expect(other.identity.fingerprint).toBe(file.identity.fingerprint);
    expect(other.identity.binding.deviceId).not.toEqual(file.identity.binding.deviceId);
    expect(other.identity.binding.x25519).not.toEqual(file.identity.binding.x25519);
    expect(other.identity.needsBackup).toBe(false);
    const revocation = other.identity.revoke(file.identity.binding.deviceId, NOW + 1);
    expect(other.identity.revocations).toEqual([revocation]);
    expect(() => other.identity.revoke(other.identity.binding.deviceId, NOW)).toThrow(
      expect.objectContaining({ code: 'ERR_IDENTITY_REVOKED' }),
    );
    other.close();
  });

  it('T48: is in no error when it is wrong', async () => {
    const typed = phrase.replace(/\S+$/, 'lettre');
    const refused = IdentityFile.restore(at('typo'), { phrase: typed });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_IDENTITY_PHRASE' });
    const text: string = await refused.then(
      () => '',
      (error: unknown) => `${JSON.stringify(error)} ${String(error)}`,
    );
    expect(typed.split(' ').filter((word) => word.length > 4 && text.includes(word))).toEqual([]);
  });
});
