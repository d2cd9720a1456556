import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  canonicalPinUpdate,
  judgePinUpdate,
  pinUpdateSigningInput,
  type PinUpdate,
} from './pin-update.js';

const NOW = 1_788_264_000_000;
const DAY = 86_400_000;
const PIN = `sha256/${'A'.repeat(43)}=`;
const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const UPDATE: PinUpdate = {
  ...{ v: 1, hosts: ['gateway.example'], serial: 8, notBefore: NOW, notAfter: NOW + 90 * DAY },
  pins: [PIN, PIN.replace('A', 'B')],
};
const AT = { host: 'gateway.example', leafKey: leaf.publicKey, serial: 7, nowMs: NOW };

const signed = (
  update: string,
  key: KeyObject = leaf.privateKey,
  hash: string | null = 'sha256',
) => ({
  update,
  signature: sign(hash, pinUpdateSigningInput(update), key).toString('base64url'),
});
const judged = (changes: Partial<PinUpdate>, at: Partial<typeof AT> = {}) =>
  judgePinUpdate(signed(canonicalPinUpdate({ ...UPDATE, ...changes })), { ...AT, ...at });

describe('a pin update', () => {
  it('is taken when the key of this connection signed it for the host that was dialled', () => {
    expect(judged({})).toEqual(UPDATE);
  });

  it('is signed over its label, a zero byte and its canonical JSON behind the length', () => {
    const text = canonicalPinUpdate(UPDATE);
    expect(text.startsWith('{"hosts":["gateway.example"],"notAfter":')).toBe(true);
    const head = Buffer.from('sallyport pin update v1\0\0\0', 'latin1');
    head.writeUInt16BE(text.length, head.length - 2);
    expect(Buffer.from(pinUpdateSigningInput(text))).toEqual(
      Buffer.concat([head, Buffer.from(text)]),
    );
  });

  it('is taken from keys of other kinds as well', () => {
    const text = canonicalPinUpdate(UPDATE);
    const ed = generateKeyPairSync('ed25519');
    expect(
      judgePinUpdate(signed(text, ed.privateKey, null), { ...AT, leafKey: ed.publicKey }),
    ).toEqual(UPDATE);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pss = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = sign('sha256', pinUpdateSigningInput(text), pss).toString('base64url');
    expect(judgePinUpdate({ update: text, signature }, { ...AT, leafKey: rsa.publicKey })).toEqual(
      UPDATE,
    );
  });

  it.each([
    ['another host', {}, { host: 'other.example' }, 'update-other-host'],
    ['the same serial', {}, { serial: 8 }, 'update-serial'],
    ['a lower serial', {}, { serial: 9 }, 'update-serial'],
    ['a time before it', {}, { nowMs: NOW - 30_001 }, 'update-dates'],
    ['its end', {}, { nowMs: NOW + 90 * DAY }, 'update-dates'],
    ['more than 90 days', { notAfter: NOW + 90 * DAY + 1 }, {}, 'update-dates'],
    ['one pin', { pins: [PIN] }, {}, 'update-malformed'],
    ['five pins', { pins: [PIN, PIN, PIN, PIN, PIN] }, {}, 'update-malformed'],
    ['what is no pin', { pins: [PIN, 'sha256/AAAA'] }, {}, 'update-malformed'],
  ] as const)('is refused for %s', (_, changes, at, refusal) => {
    expect(judged(changes as Partial<PinUpdate>, at)).toBe(refusal);
  });

  it('is refused with another key, another text, or in another form', () => {
    const text = canonicalPinUpdate(UPDATE);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(judgePinUpdate(signed(text, other.privateKey), AT)).toBe('update-signature');
    const changed = { ...signed(text), update: text.replace('"serial":8', '"serial":9') };
    expect(judgePinUpdate(changed, AT)).toBe('update-signature');
    expect(judgePinUpdate(signed(JSON.stringify(UPDATE)), AT)).toBe('update-malformed');
    expect(judgePinUpdate(signed(text.replace('{"hosts"', '{"v":1,"hosts"')), AT)).toBe(
      'update-malformed',
    );
    expect(judgePinUpdate({ update: '{', signature: '_' }, AT)).toBe('update-malformed');
  });
});
