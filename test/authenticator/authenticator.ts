/*
 * A security key in software for tests: P-256 with ES256, attestation `none` or `packed` (self), a counter, user
 * presence and user verification as told. What it gives is what WebAuthn level 3, 6.1 and 6.5 describe; every part can
 * be made wrong on purpose.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const FLAGS = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, credential: 0x40 };

/** What an authenticator is asked to do, as the browser passes it on. */
export interface Ceremony {
  readonly challenge: string;
  readonly rpId: string;
  readonly origin: string;
}

/** How an authenticator answers otherwise than it should. */
export interface Behaviour {
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly counter?: number;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly backupEligible?: boolean;
  readonly format?: 'none' | 'packed' | 'android-safetynet';
  /** COSE algorithm that the key claims: -7 is ES256. */
  readonly algorithm?: number;
  readonly transports?: readonly string[];
  readonly spoofedAttestation?: boolean;
}

/** One credential of one authenticator. */
export class Authenticator {
  readonly id = randomBytes(32);
  readonly #privateKey: KeyObject;
  readonly #x: Buffer;
  readonly #y: Buffer;
  counter: number;

  constructor(private readonly options: { readonly counts: boolean } = { counts: true }) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.#privateKey = privateKey;
    this.#x = Buffer.from(x, 'base64url');
    this.#y = Buffer.from(y, 'base64url');
    this.counter = options.counts ? 1 : 0;
  }

  /** `navigator.credentials.create()`: what `factor.web-authn.confirm` sends. */
  create(ceremony: Ceremony, behaviour: Behaviour = {}) {
    const clientData = clientDataJson('webauthn.create', ceremony, behaviour);
    const authData = this.#authenticatorData(ceremony, behaviour, true);
    const { format = 'none', transports = ['usb'] } = behaviour;
    return {
      id: this.id.toString('base64url'),
      clientDataJSON: clientData.toString('base64url'),
      attestationObject: cborMap([
        ['fmt', cborText(format)],
        ['attStmt', this.#statement(format, authData, clientData, behaviour)],
        ['authData', cborBytes(authData)],
      ]).toString('base64url'),
      transports: [...transports],
    };
  }

  /** `navigator.credentials.get()`: the proof of a second factor. */
  get(ceremony: Ceremony, behaviour: Behaviour = {}) {
    if (this.options.counts) this.counter += 1;
    const clientData = clientDataJson('webauthn.get', ceremony, behaviour);
    const authenticatorData = this.#authenticatorData(ceremony, behaviour, false);
    const signature = this.#sign(authenticatorData, clientData);
    return {
      kind: 'WebAuthn' as const,
      answer: {
        id: this.id.toString('base64url'),
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: signature.toString('base64url'),
      },
    };
  }

  #sign(authData: Buffer, clientData: Buffer): Buffer {
    return sign('sha256', Buffer.concat([authData, sha256(clientData)]), this.#privateKey);
  }

  #authenticatorData(ceremony: Ceremony, behaviour: Behaviour, withCredential: boolean): Buffer {
    const flags = {
      userPresent: true,
      userVerified: true,
      ...behaviour,
      credential: withCredential,
    };
    const names = Object.keys(FLAGS) as (keyof typeof FLAGS)[];
    const byte = names.reduce((sum, name) => sum | (flags[name] === true ? FLAGS[name] : 0), 0);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(behaviour.counter ?? this.counter);
    const head = [sha256(behaviour.rpId ?? ceremony.rpId), Buffer.of(byte), counter];
    return Buffer.concat(withCredential ? [...head, this.#credential(behaviour)] : head);
  }

  /** AAGUID, length, id, COSE key (RFC 9053, 7.1.1: EC2, P-256). */
  #credential({ algorithm = -7 }: Behaviour): Buffer {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.id.length);
    const key = Buffer.concat([
      Buffer.of(0xa5, 0x01, 0x02, 0x03),
      cborNegative(algorithm),
      Buffer.of(0x20, 0x01, 0x21),
      cborBytes(this.#x),
      Buffer.of(0x22),
      cborBytes(this.#y),
    ]);
    return Buffer.concat([Buffer.alloc(16), length, this.id, key]);
  }

  #statement(
    format: string,
    authData: Buffer,
    clientData: Buffer,
    { spoofedAttestation = false }: Behaviour,
  ): Buffer {
    if (format === 'none') return Buffer.of(0xa0);
    const signature = this.#sign(authData, clientData);
    if (spoofedAttestation) signature.fill(0, 12, 20);
    return cborMap([
      ['alg', cborNegative(-7)],
      ['sig', cborBytes(signature)],
    ]);
  }
}

function clientDataJson(
  type: string,
  { challenge, origin }: Ceremony,
  behaviour: Behaviour,
): Buffer {
  const { crossOrigin = false } = behaviour;
  return Buffer.from(
    JSON.stringify({ type: behaviour.type ?? type, challenge, origin, crossOrigin }),
  );
}

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();

/** Canonical CBOR (RFC 8949) of what attestation needs. */
const cborHead = (major: number, length: number): Buffer => {
  if (length < 24) return Buffer.of((major << 5) | length);
  if (length < 256) return Buffer.of((major << 5) | 24, length);
  return Buffer.of((major << 5) | 25, length >>> 8, length & 0xff);
};
const cborBytes = (bytes: Buffer) => Buffer.concat([cborHead(2, bytes.length), bytes]);
const cborText = (text: string) => Buffer.concat([cborHead(3, text.length), Buffer.from(text)]);
const cborNegative = (value: number) => cborHead(1, -1 - value);
const cborMap = (entries: readonly (readonly [string, Buffer])[]) =>
  Buffer.concat([
    cborHead(5, entries.length),
    ...entries.flatMap(([name, value]) => [cborText(name), value]),
  ]);
