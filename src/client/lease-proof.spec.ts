import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../test/identities.js';
import { aLeaseProof, kindOf, seqOf } from '../../test/session/relay-answers.js';
import { nodeBackend } from '../crypto/node.backend.js';
import { KeyStore } from '../protocol/key-store.js';
import { LeaseProof, type LeaseFields } from './lease-proof.js';

const FIELDS: LeaseFields = {
  token: bytesOf(0x76, 100),
  relayId: 'edge/eu/0',
  session: bytesOf(1, 16),
  jti: bytesOf(2, 16),
  role: 'client',
  proofKey: bytesOf(3),
};

describe('a lease with a field of a wrong length', () => {
  it.each([
    ['key', { proofKey: bytesOf(3, 31) }],
    ['key and public half', { proofKey: bytesOf(3, 64) }],
    ['session id', { session: bytesOf(1, 15) }],
    ['id', { jti: bytesOf(2, 17) }],
    ['empty text', { token: new Uint8Array(0) }],
    ['text that no PROVE holds', { token: bytesOf(0x76, 1_090) }],
  ])(
    'ERR_ENDPOINT_KEY_LENGTH: is refused for its %s, and its bytes are in no message',
    (_, wrong) => {
      const context = { backend: nodeBackend, keys: new KeyStore(1_024) };
      const make = () => new LeaseProof(context, { ...FIELDS, ...wrong });
      expect(make).toThrow(
        expect.objectContaining({
          code: 'ERR_ENDPOINT_KEY_LENGTH',
          message: expect.not.stringMatching(/03|3,3/),
        }),
      );
    },
  );
});

describe('a lease that is proven', () => {
  it('has a higher seq in every proof, whatever the way', () => {
    const lease = aLeaseProof();
    const proofs = [1, 2, 3].map((n) => lease.prove(bytesOf(n, 16), bytesOf(n)));
    expect(proofs.map(seqOf)).toEqual([1n, 2n, 3n]);
    expect(kindOf(lease.bye())).toBe('bye');
  });

  it('ERR_ENDPOINT_CLOSED: proves nothing once it is closed', () => {
    const lease = aLeaseProof();
    lease.close();
    lease.close();
    const closed = expect.objectContaining({ code: 'ERR_ENDPOINT_CLOSED' });
    expect(() => lease.prove(bytesOf(1, 16), bytesOf(1))).toThrow(closed);
    expect(() => lease.bye()).toThrow(closed);
  });
});
