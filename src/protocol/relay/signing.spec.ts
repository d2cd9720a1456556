import { describe, expect, it } from '@jest/globals';
import { fromHex, toHex } from '../bytes.js';
import { decodeSeenAddress, encodeSeenAddress, seenAddress } from './address.js';
import { byeSigningInput, cookieEpoch, cookieInput, proveSigningInput } from './signing.js';

const HEADER = fromHex('57012200 00112233445566778899aabbccddeeff');
const NONCE = fromHex('101112131415161718191a1b1c1d1e1f');
const textHex = (text: string) => Buffer.from(text).toString('hex');

const proved = {
  header: HEADER,
  nonce: NONCE,
  cookie: fromHex('20'.repeat(32)),
  seq: 2n ** 53n + 1n,
  role: 'server',
  relayId: 'chat/pool/0',
  tokenHash: fromHex('30'.repeat(32)),
} as const;

describe('what is signed and hashed', () => {
  it('is for a PROVE the label, a zero byte and the fields of wire formats B', () => {
    expect(toHex(proveSigningInput(proved))).toBe(
      textHex('sallyport relay prove v1') +
        '00' +
        '5701220000112233445566778899aabbccddeeff' +
        '101112131415161718191a1b1c1d1e1f' +
        '20'.repeat(32) +
        '0020000000000001' +
        '01' +
        '000b' +
        textHex('chat/pool/0') +
        '30'.repeat(32),
    );
  });

  it('is for a BYE another label, the header, the relay, the lease and its number', () => {
    const jti = fromHex('40'.repeat(16));
    const input = byeSigningInput({ header: HEADER, relayId: 'chat/pool/0', jti, seq: 7n });
    expect(toHex(input)).toBe(
      textHex('sallyport relay bye v1') +
        '00' +
        '5701220000112233445566778899aabbccddeeff' +
        '000b' +
        textHex('chat/pool/0') +
        '40'.repeat(16) +
        '0000000000000007',
    );
  });

  it('is for a cookie the epoch, the address, the session and the nonce', () => {
    const input = cookieInput({
      epoch: 3n,
      seen: seenAddress(Uint8Array.of(192, 0, 2, 1), 54_321),
      session: HEADER.subarray(4),
      nonce: NONCE,
    });
    expect(toHex(input)).toBe(
      textHex('sallyport cookie v1') +
        '00' +
        '0000000000000003' +
        '04c0000201000000000000000000000000d431' +
        '00112233445566778899aabbccddeeff' +
        '101112131415161718191a1b1c1d1e1f',
    );
  });

  it('differs when any field differs', () => {
    const variants = [
      proved,
      { ...proved, header: fromHex('57012201 00112233445566778899aabbccddeeff') },
      { ...proved, nonce: NONCE.toReversed() },
      { ...proved, cookie: fromHex('21'.repeat(32)) },
      { ...proved, seq: 2n ** 53n },
      { ...proved, role: 'client' as const },
      { ...proved, relayId: 'chat/pool/1' },
      { ...proved, tokenHash: fromHex('31'.repeat(32)) },
    ].map((fields) => toHex(proveSigningInput(fields)));
    expect(new Set(variants).size).toBe(variants.length);
  });

  it('is not made from fields of a wrong length', () => {
    expect(() => proveSigningInput({ ...proved, header: NONCE })).toThrow(RangeError);
    expect(() => proveSigningInput({ ...proved, tokenHash: NONCE })).toThrow(RangeError);
    expect(() => proveSigningInput({ ...proved, relayId: 'ch\u00e4t/pool/0' })).toThrow(RangeError);
  });

  it('counts epochs of 30 seconds', () => {
    expect([0, 29_999.9, 30_000, 59_999, 60_000].map(cookieEpoch)).toEqual([0n, 0n, 1n, 1n, 2n]);
  });
});

describe('an address as the relay sees it', () => {
  const mapped = fromHex('00000000000000000000ffff c0000201');

  it('T18: is the same for IPv4 and for IPv4 mapped into IPv6', () => {
    expect(seenAddress(mapped, 7)).toEqual(seenAddress(Uint8Array.of(192, 0, 2, 1), 7));
    expect(encodeSeenAddress(seenAddress(mapped, 7))).toEqual(
      fromHex('04 c0000201 000000000000000000000000 0007'),
    );
  });

  it('is read as it was written', () => {
    const six = seenAddress(fromHex('20010db8000000000000000000000001'), 65_535);
    expect(decodeSeenAddress(encodeSeenAddress(six), 0)).toEqual(six);
  });

  it.each([
    ['family 5', `05 ${'00'.repeat(16)} 0001`],
    ['port 0', `06 ${'01'.repeat(16)} 0000`],
    ['bytes behind an IPv4 address', `04 ${'01'.repeat(16)} 0001`],
    ['a mapped address as family 6', '06 00000000000000000000ffffc0000201 0001'],
  ])('has one form: %s is none', (_, hex) => {
    expect(decodeSeenAddress(fromHex(hex), 0)).toBeUndefined();
  });

  it('is not written in another form', () => {
    const address = fromHex('01'.repeat(16));
    expect(() => encodeSeenAddress({ family: 4, address, port: 1 })).toThrow(RangeError);
    expect(() => seenAddress(new Uint8Array(5), 1)).toThrow(RangeError);
    expect(() => seenAddress(address, 0)).toThrow(RangeError);
    expect(() => seenAddress(address, 65_536)).toThrow(RangeError);
  });
});
