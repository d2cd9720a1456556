/*
 * A lease and its key: writes the frames that prove it to a relay (wire formats, B). `seq` grows with every proof and
 * farewell of the key, whichever way they go, so that none can take the place of a later one.
 */
import type { CryptoContext } from '../protocol/key-store.js';
import {
  encodeHello,
  encodeProve,
  MAX_PROVED_TOKEN_BYTES,
  SIGNATURE_BYTES,
} from '../protocol/relay/admission.js';
import { encodeBye } from '../protocol/relay/departure.js';
import { encodeFrame, RELAY_HEADER_BYTES, RelayType } from '../protocol/relay/header.js';
import { byeSigningInput, proveSigningInput } from '../protocol/relay/signing.js';
import type { Role } from '../protocol/relay/version-1.js';
import { EndpointError, requireKeyLength } from './endpoint-error.js';

/** A lease as its gateway gave it out, and the private half of the key that it names. */
export interface LeaseFields {
  /** ASCII text of the PASETO; at most 1,089 bytes. */
  readonly token: Uint8Array;
  /** NAMESPACE/POOL/ORDINAL. */
  readonly relayId: string;
  /** The session's id and the lease's own, 16 bytes each. */
  readonly session: Uint8Array;
  readonly jti: Uint8Array;
  readonly role: Role;
  /** Ed25519 seed of `cpk`, 32 bytes; copied, and the caller's to erase. */
  readonly proofKey: Uint8Array;
}

/** Proves one lease. Owns a copy of its key in the given key store until `close`. */
export class LeaseProof {
  readonly session: Uint8Array;
  readonly #context: CryptoContext;
  readonly #fields: Omit<LeaseFields, 'proofKey'>;
  readonly #key: Uint8Array;
  readonly #tokenHash = new Uint8Array(32);
  #seq = 0n;

  /** @throws EndpointError ERR_ENDPOINT_KEY_LENGTH if the key, an id or the token has a wrong length. */
  constructor(context: CryptoContext, { proofKey, ...fields }: LeaseFields) {
    requireKeyLength('the key of a lease', proofKey, 32);
    requireKeyLength('a session id', fields.session, 16);
    requireKeyLength('the id of a lease', fields.jti, 16);
    if (fields.token.length === 0 || fields.token.length > MAX_PROVED_TOKEN_BYTES)
      requireKeyLength('a lease', fields.token, MAX_PROVED_TOKEN_BYTES);
    this.#context = context;
    this.#fields = fields;
    this.session = fields.session;
    this.#key = context.keys.takeCopy(proofKey);
    context.backend.hash('SHA256', [fields.token], this.#tokenHash);
  }

  /** A HELLO, 512 bytes. */
  hello(nonce: Uint8Array): Uint8Array {
    return encodeHello(this, { nonce });
  }

  /** A PROVE with the next `seq`. @throws EndpointError ERR_ENDPOINT_CLOSED after `close`. */
  prove(nonce: Uint8Array, cookie: Uint8Array): Uint8Array {
    const { token, relayId, role } = this.#fields;
    const seq = ++this.#seq;
    const signed = { header: this.#header(RelayType.prove), nonce, cookie, seq, role, relayId };
    const signature = this.#sign(proveSigningInput({ ...signed, tokenHash: this.#tokenHash }));
    return encodeProve(this, { nonce, cookie, seq, role, token, signature });
  }

  /** A BYE with the next `seq`. @throws EndpointError ERR_ENDPOINT_CLOSED after `close`. */
  bye(): Uint8Array {
    const { relayId, jti } = this.#fields;
    const seq = ++this.#seq;
    const header = this.#header(RelayType.bye);
    return encodeBye(this, {
      seq,
      signature: this.#sign(byeSigningInput({ header, relayId, jti, seq })),
    });
  }

  /** The 20 bytes before the payload of every FORWARD. */
  forwardHeader(): Uint8Array {
    return this.#header(RelayType.forward);
  }

  /** Erases the key. May be called again. */
  close(): void {
    const { keys } = this.#context;
    if (keys.isLive(this.#key)) keys.erase(this.#key);
  }

  #header(type: (typeof RelayType)[keyof typeof RelayType]): Uint8Array {
    return encodeFrame(type, this, []).subarray(0, RELAY_HEADER_BYTES);
  }

  #sign(message: Uint8Array): Uint8Array {
    if (!this.#context.keys.isLive(this.#key))
      throw new EndpointError('ERR_ENDPOINT_CLOSED', 'the key of this lease is erased');
    const signature = this.#context.backend.ed25519Sign(this.#key, message);
    return signature.length === SIGNATURE_BYTES
      ? signature
      : signature.subarray(0, SIGNATURE_BYTES);
  }
}
