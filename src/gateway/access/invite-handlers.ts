/*
 * Invites: codes with which one new account each gets in. A code is 100 random bits, so that its hash cannot be guessed.
 */
import { toBase64url } from '../../protocol/lease/base64url.js';
import { toBase32 } from '../../protocol/identity/base32.js';
import type { Handlers, Refused } from '../caller.js';
import { inviteHash } from '../invite-hash.js';
import type { AccessParts } from './parts.js';

const PAGE = 100;
/** Twenty characters of five bits, of the bytes that base32 takes: a multiple of five. */
const CODE_BYTES = 15;
const CODE_CHARACTERS = 20;
const GROUP = /.{5}/g;

/** The code of `bytes`, in groups: `abcde-fghij-...`. */
export const inviteCode = (bytes: Uint8Array): string =>
  (toBase32(bytes).slice(0, CODE_CHARACTERS).match(GROUP) ?? []).join('-');

/** Handlers of `admin.invite.*`. */
export function inviteHandlers({ store, random, backend }: AccessParts) {
  return {
    'admin.invite.create': async ({ lifetimeSeconds }, { now }) => {
      const code = inviteCode(random(CODE_BYTES));
      const invite = toBase64url(random(16));
      const expiresAt = now + lifetimeSeconds * 1_000;
      await store.addInvite({ invite, codeHash: inviteHash(backend, code), expiresAt });
      return { invite, code, expiresAt };
    },
    'admin.invite.list': async ({ after }) => {
      const page = await store.invites(after, PAGE);
      const items = page.rows.map(({ invite, expiresAt }) => ({ invite, expiresAt }));
      return { items, ...(page.next === undefined ? {} : { next: page.next }) };
    },
    'admin.invite.revoke': async ({ invite }): Promise<Refused | object> =>
      (await store.revokeInvite(invite)) ? {} : { refused: 'not-found' },
  } satisfies Partial<Handlers>;
}
