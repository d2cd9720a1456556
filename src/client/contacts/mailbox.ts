/*
 * Envelopes of this device: sealed for others, opened when they come. Which contact one came from follows from the
 * rendezvous token; a first contact names itself.
 */
import type { EnvelopeKind } from '../../protocol/envelope/sealed-message.js';
import {
  openEnvelope,
  type EnvelopeRefusal,
  type OpenedEnvelope,
} from '../../protocol/envelope/open-envelope.js';
import { sealEnvelope } from '../../protocol/envelope/seal-envelope.js';
import {
  MAX_REVOCATIONS_INSIDE,
  MESSAGE_ID_BYTES,
} from '../../protocol/envelope/sealed-message.js';
import type { RevocationSet } from '../../protocol/identity/revocation-set.js';
import type { Prekey } from '../../protocol/identity/prekey.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import { PROFILE } from '../../protocol/session/offer.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';
import type { Identity } from '../identity/identity.js';
import type { ContactDevice } from './contact-book.js';
import type { PrekeyRing } from './prekey-ring.js';

/** What a mailbox is made of. */
export interface MailboxParts {
  readonly context: CryptoContext;
  readonly identity: Identity;
  readonly prekeys: PrekeyRing;
  readonly revocations: RevocationSet;
  readonly random: RandomBytes;
}

/** What is said to whom. */
export interface Letter {
  readonly kind: EnvelopeKind;
  readonly body: Uint8Array;
  /** Verified (protocol/identity/prekey.ts). */
  readonly prekey: Prekey;
  /** The recipient does not know this device yet. */
  readonly firstContact: boolean;
}

/** Seals and opens envelopes of one device. */
export class Mailbox {
  readonly #parts: MailboxParts;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
  }

  /** The envelope in base64url; undefined if the prekey is of low order. */
  seal({ kind, body, prekey, firstContact }: Letter, nowMs: number): string | undefined {
    const { context, identity, random } = this.#parts;
    const id = new Uint8Array(MESSAGE_ID_BYTES);
    random(id);
    const sealed = sealEnvelope(
      { ...context, random },
      { profile: PROFILE, s: identity.staticKey, prekey, firstContact },
      {
        kind,
        id,
        timeMs: nowMs,
        binding: identity.bindingBytes,
        revocations: identity.revocations.slice(-MAX_REVOCATIONS_INSIDE),
        body,
      },
    );
    return typeof sealed === 'string' ? undefined : toBase64url(sealed);
  }

  /** What is inside, to be erased by the caller; or why it is refused. */
  open(
    text: string,
    from: ContactDevice | 'first-contact',
    nowMs: number,
  ): OpenedEnvelope | EnvelopeRefusal {
    const { context, identity, prekeys, revocations } = this.#parts;
    const bytes = fromBase64urlText(text);
    if (bytes === undefined) return 'envelope-length';
    return openEnvelope(
      context,
      bytes,
      {
        profile: PROFILE,
        recipient: identity.binding,
        prekeys: prekeys.held,
        from: from === 'first-contact' ? from : from.keys,
      },
      { nowMs, revocations },
    );
  }
}
