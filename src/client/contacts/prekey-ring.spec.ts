import { describe, expect, it } from '@jest/globals';
import { aContext, anAccount, NOON_MS } from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { decodePrekey, signPrekey, verifyPrekey } from '../../protocol/identity/prekey.js';
import { PrekeyRing } from './prekey-ring.js';

const HOUR_MS = 3_600_000;
const account = anAccount(0x20);
const signer: ConstructorParameters<typeof PrekeyRing>[1] = {
  signPrekey: (prekey) =>
    signPrekey(nodeBackend, account.deviceSeed, {
      ...prekey,
      identity: account.identity,
      deviceId: account.deviceId,
    }),
};

describe('the prekeys of a device', () => {
  const context = aContext();
  let fill = 1;
  const ring = new PrekeyRing(context, signer, (out) => out.fill(fill++));
  const idAt = (hours: number) => {
    const isNew = ring.turn(NOON_MS + hours * HOUR_MS);
    return { isNew, held: ring.held.map(({ prekeyId }) => prekeyId - NOON_MS / 1_000) };
  };

  it('are renewed every day, and each is destroyed 48 h after it was made', () => {
    expect(idAt(0)).toEqual({ isNew: true, held: [0] });
    expect(idAt(23.99)).toEqual({ isNew: false, held: [0] });
    const oldest = ring.held[0]!.keyPair.privateKey;
    expect(idAt(24)).toEqual({ isNew: true, held: [0, 86_400] });
    expect(idAt(47.99).held).toEqual([0, 86_400]);
    expect(oldest.some((byte) => byte !== 0)).toBe(true);
    expect(idAt(48)).toEqual({ isNew: true, held: [86_400, 172_800] });
    expect(context.keys.isLive(oldest)).toBe(false);
  });

  it('are signed by the device for 48 h', () => {
    const prekey = verifyPrekey(nodeBackend, ring.newest!, account.keys, NOON_MS + 49 * HOUR_MS);
    expect(prekey).toMatchObject({ prekeyId: NOON_MS / 1_000 + 172_800 });
  });

  it('have ids that grow, also when the clock goes back', () => {
    const last = decodePrekey(ring.newest!) as { prekeyId: number };
    const other = new PrekeyRing(context, signer, (out) => out.fill(9));
    other.turn(NOON_MS);
    expect((decodePrekey(other.newest!) as { prekeyId: number }).prekeyId).toBeLessThan(
      last.prekeyId,
    );
    other.close();
  });

  it('leave nothing in the key store when they are closed', () => {
    ring.close();
    expect(context.keys.liveSlices).toBe(0);
    expect(ring.held).toEqual([]);
  });
});
