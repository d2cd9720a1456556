import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, hex } from '../../../test/identities.js';
import { concat } from '../bytes.js';
import { sessionPrologue, winningOffer } from './offer.js';

describe('the prologue of a session', () => {
  const parties = {
    profile: 'Standard' as const,
    sessionId: bytesOf(1, 16),
    initiatorIdentity: bytesOf(2),
    responderIdentity: bytesOf(3),
    token: bytesOf(4, 16),
  };

  it('is the label, a zero byte, the profile after its length, and the fields', () => {
    expect(sessionPrologue(parties)).toEqual(
      concat([
        hex('73616c6c79706f72742073657373696f6e207631 00 0008 5374616e64617264'),
        bytesOf(1, 16),
        bytesOf(2),
        bytesOf(3),
        bytesOf(4, 16),
      ]),
    );
  });

  it.each(['sessionId', 'initiatorIdentity', 'responderIdentity', 'token'] as const)(
    'throws when %s has a wrong length',
    (field) => {
      expect(() => sessionPrologue({ ...parties, [field]: bytesOf(1, 15) })).toThrow(RangeError);
    },
  );
});

describe('two offers at the same time', () => {
  it('are decided by the smaller identity key, byte by byte and unsigned', () => {
    expect(winningOffer(hex('00'.repeat(31) + '7f'), hex('00'.repeat(31) + '80'))).toBe('own');
    expect(winningOffer(hex('80' + '00'.repeat(31)), hex('7f' + 'ff'.repeat(31)))).toBe('peer');
  });

  it('are decided alike on both sides', () => {
    const identity = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        fc.pre(Buffer.compare(a, b) !== 0);
        expect([winningOffer(a, b), winningOffer(b, a)].sort()).toEqual(['own', 'peer']);
      }),
      { seed: 5 },
    );
  });

  it('cannot be of one identity or of a key of another length', () => {
    expect(() => winningOffer(bytesOf(1), bytesOf(1))).toThrow(RangeError);
    expect(() => winningOffer(bytesOf(1), bytesOf(2, 31))).toThrow(RangeError);
  });
});
