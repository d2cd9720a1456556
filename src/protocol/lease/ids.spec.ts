import { describe, expect, it } from '@jest/globals';
import { publicKeyOf, sha256 } from '../../../test/lease-builders.js';
import { fromHex, toHex } from '../bytes.js';
import { leaseKeyId, leaseRequestSigningInput, sessionId } from './ids.js';

describe('ids that are hashes of keys', () => {
  const publicKey = publicKeyOf(new Uint8Array(32).fill(1));

  it('are what an independent computation gives', () => {
    const hash = (label: string) => sha256(Buffer.concat([Buffer.from(`${label}\0`), publicKey]));
    expect(leaseKeyId(publicKey, sha256)).toBe(
      Buffer.from(hash('sallyport lease key v1').subarray(0, 16)).toString('base64url'),
    );
    expect(toHex(sessionId(publicKey, sha256))).toBe(
      Buffer.from(hash('sallyport session v1').subarray(0, 16)).toString('hex'),
    );
  });

  it('are not made from keys of another length', () => {
    expect(() => leaseKeyId(new Uint8Array(31), sha256)).toThrow(RangeError);
    expect(() => sessionId(new Uint8Array(33), sha256)).toThrow(RangeError);
  });

  it('go into a lease request in the order of the wire formats', () => {
    const input = leaseRequestSigningInput({
      gateway: 'chat/main',
      rid: 'chat/pool/0',
      role: 'server',
      sid: fromHex('aa'.repeat(16)),
      cpk: fromHex('bb'.repeat(32)),
    });
    expect(toHex(input)).toBe(
      Buffer.from('sallyport lease request v1\0').toString('hex') +
        `0009${Buffer.from('chat/main').toString('hex')}` +
        `000b${Buffer.from('chat/pool/0').toString('hex')}` +
        '01' +
        'aa'.repeat(16) +
        'bb'.repeat(32),
    );
  });
});
