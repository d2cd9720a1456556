import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto';

/*
 * Noise_XX_25519_ChaChaPoly_BLAKE2s once more, from the specification and on OpenSSL alone: it shares no line with the
 * product. Whoever knows the three shared secrets can read a transcript or write one; which keys give them is the
 * question that the tests ask.
 */

/** ee, es and se of Noise rev 34, section 7. */
export interface SharedSecrets {
  readonly ee: Uint8Array;
  readonly es: Uint8Array;
  readonly se: Uint8Array;
}

const concat = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);
const hash = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('blake2s256')
    .update(concat(...parts))
    .digest();
const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  createHmac('blake2s256', key)
    .update(concat(...parts))
    .digest();

/** X25519 with keys as raw bytes. */
export function dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
  const spki = Buffer.from('302a300506032b656e032100', 'hex');
  return diffieHellman({
    privateKey: createPrivateKey({
      key: concat(pkcs8, privateKey),
      format: 'der',
      type: 'pkcs8',
    }),
    publicKey: createPublicKey({ key: concat(spki, publicKey), format: 'der', type: 'spki' }),
  });
}

/** HKDF of Noise rev 34, section 4.3, with two outputs. */
export function hkdf2(chainingKey: Uint8Array, input: Uint8Array): [Buffer, Buffer] {
  const temp = hmac(chainingKey, input);
  const first = hmac(temp, Uint8Array.of(1));
  return [first, hmac(temp, first, Uint8Array.of(2))];
}

/** ChaCha20-Poly1305 with the nonce of Noise rev 34, section 12.3. */
export function sealWith(key: Uint8Array, n: bigint, ad: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(n), { authTagLength: 16 });
  cipher.setAAD(ad, { plaintextLength: plain.length });
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** The plaintext, or undefined if the tag is wrong. */
export function openWith(
  key: Uint8Array,
  n: bigint,
  ad: Uint8Array,
  sealed: Uint8Array,
): Buffer | undefined {
  const end = sealed.length - 16;
  const cipher = createDecipheriv('chacha20-poly1305', key, nonceOf(n), { authTagLength: 16 });
  cipher.setAAD(ad, { plaintextLength: end });
  cipher.setAuthTag(sealed.subarray(end));
  try {
    return concat(cipher.update(sealed.subarray(0, end)), cipher.final());
  } catch {
    return undefined;
  }
}

/** REKEY of Noise rev 34, section 4.2. */
export const rekeyed = (key: Uint8Array): Buffer =>
  sealWith(key, 2n ** 64n - 1n, Buffer.alloc(0), Buffer.alloc(32)).subarray(0, 32);

/** The plaintext of a transport datagram under `key`, or undefined. */
export function openDatagram(key: Uint8Array, datagram: Uint8Array): Buffer | undefined {
  const header = Buffer.from(datagram.subarray(0, 16));
  return openWith(key, header.readBigUInt64BE(0), header, datagram.subarray(16));
}

function nonceOf(n: bigint): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(n, 4);
  return nonce;
}

class Symmetric {
  h: Buffer;
  #ck: Buffer;
  #key: Buffer | undefined;
  #n = 0n;

  constructor(prologue: Uint8Array) {
    this.#ck = hash(Buffer.from('Noise_XX_25519_ChaChaPoly_BLAKE2s'));
    this.h = hash(this.#ck, prologue);
  }

  mixHash(bytes: Uint8Array): void {
    this.h = hash(this.h, bytes);
  }

  mixKey(secret: Uint8Array): void {
    [this.#ck, this.#key] = hkdf2(this.#ck, secret);
    this.#n = 0n;
  }

  seal(plain: Uint8Array): Buffer {
    const sealed = sealWith(this.#key!, this.#n++, this.h, plain);
    this.mixHash(sealed);
    return sealed;
  }

  open(sealed: Uint8Array): Buffer | undefined {
    const plain = openWith(this.#key!, this.#n++, this.h, sealed);
    this.mixHash(sealed);
    return plain;
  }

  split(): [Buffer, Buffer] {
    return hkdf2(this.#ck, Buffer.alloc(0));
  }
}

/** What a transcript says to who knows the shared secrets. A field is undefined where a tag was wrong. */
export interface ReadTranscript {
  readonly responderStatic: Buffer | undefined;
  readonly responderBinding: Buffer | undefined;
  readonly initiatorStatic: Buffer | undefined;
  readonly initiatorBinding: Buffer | undefined;
  /** Keys of initiator to responder, and back. */
  readonly keys: [Buffer, Buffer];
  /** Depends on the messages and the prologue only: public. */
  readonly handshakeHash: Buffer;
}

/** Reads three Noise messages of XX. */
export function readTranscript(
  prologue: Uint8Array,
  messages: readonly Uint8Array[],
  { ee, es, se }: SharedSecrets,
): ReadTranscript {
  const [one, two, three] = messages as [Uint8Array, Uint8Array, Uint8Array];
  const state = new Symmetric(prologue);
  state.mixHash(one); // -> e
  state.mixHash(Buffer.alloc(0));
  state.mixHash(two.subarray(0, 32)); // <- e, ee, s, es
  state.mixKey(ee);
  const responderStatic = state.open(two.subarray(32, 80));
  state.mixKey(es);
  const responderBinding = state.open(two.subarray(80));
  const initiatorStatic = state.open(three.subarray(0, 48)); // -> s, se
  state.mixKey(se);
  const initiatorBinding = state.open(three.subarray(48));
  return {
    responderStatic,
    responderBinding,
    initiatorStatic,
    initiatorBinding,
    keys: state.split(),
    handshakeHash: state.h,
  };
}

/** Public keys and bindings of both sides: what a writer of transcripts puts in. */
export interface PublicHalves {
  readonly initiatorEphemeral: Uint8Array;
  readonly responderEphemeral: Uint8Array;
  readonly initiatorStatic: Uint8Array;
  readonly responderStatic: Uint8Array;
  readonly initiatorBinding: Uint8Array;
  readonly responderBinding: Uint8Array;
}

/** Writes three Noise messages of XX, and the keys that they lead to. */
export function writeTranscript(
  prologue: Uint8Array,
  halves: PublicHalves,
  { ee, es, se }: SharedSecrets,
): { messages: [Buffer, Buffer, Buffer]; keys: [Buffer, Buffer] } {
  const state = new Symmetric(prologue);
  state.mixHash(halves.initiatorEphemeral);
  state.mixHash(Buffer.alloc(0));
  state.mixHash(halves.responderEphemeral);
  state.mixKey(ee);
  const responderStatic = state.seal(halves.responderStatic);
  state.mixKey(es);
  const responderBinding = state.seal(halves.responderBinding);
  const initiatorStatic = state.seal(halves.initiatorStatic);
  state.mixKey(se);
  const initiatorBinding = state.seal(halves.initiatorBinding);
  return {
    messages: [
      Buffer.from(halves.initiatorEphemeral),
      concat(halves.responderEphemeral, responderStatic, responderBinding),
      concat(initiatorStatic, initiatorBinding),
    ],
    keys: state.split(),
  };
}
