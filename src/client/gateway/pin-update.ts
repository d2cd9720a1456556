/*
 * A pin update (architecture, 9): canonical JSON (RFC 8785) and a signature by the TLS key of the gateway over
 * "sallyport pin update v1", 0, the JSON after its length (u16).
 *
 *   {"hosts":[...],"notAfter":ms,"notBefore":ms,"pins":["sha256/..."],"serial":n,"v":1}
 *
 * Signatures: ECDSA with SHA-256 (DER), RSASSA-PSS with SHA-256, Ed25519, by the kind of the key.
 */
import { constants, verify, type KeyObject } from 'node:crypto';
import { Ajv } from 'ajv';
import { Type, type Static } from 'typebox';
import { labelled } from '../../protocol/bytes.js';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';

const LABEL = 'sallyport pin update v1';
const MAX_LIFETIME_MS = 90 * 86_400_000;
const MAX_UPDATE_BYTES = 4_096;
const CLOCK_SKEW_MS = 30_000;
const instant = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const PIN_UPDATE = Type.Object(
  {
    v: Type.Literal(1),
    hosts: Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { minItems: 1, maxItems: 16 }),
    serial: instant(),
    notBefore: instant(),
    notAfter: instant(),
    pins: Type.Array(Type.String({ pattern: '^sha256/[A-Za-z0-9+/]{43}=$', maxLength: 51 }), {
      minItems: 2,
      maxItems: 4,
    }),
  },
  { additionalProperties: false },
);

/** The fields of an update. */
export type PinUpdate = Static<typeof PIN_UPDATE>;

/** Why an update is not taken. A closed list: each is a metric label. */
export type PinUpdateRefusal =
  'update-malformed' | 'update-signature' | 'update-other-host' | 'update-serial' | 'update-dates';

/** What the connection knows over which the update came; it has passed the pins held before. */
export interface PinUpdateArrival {
  /** The host that was dialled. */
  readonly host: string;
  /** The key of the leaf of this connection. */
  readonly leafKey: KeyObject;
  /** The highest serial taken from this host; 0 if none was. */
  readonly serial: number;
  readonly nowMs: number;
}

const validate = new Ajv({ strict: false }).compile<PinUpdate>(PIN_UPDATE);

/** The update if it holds for this host now; else the first rule that it breaks. Never throws on what a gateway sends. */
export function judgePinUpdate(
  { update, signature }: { readonly update: string; readonly signature: string },
  { host, leafKey, serial, nowMs }: PinUpdateArrival,
): PinUpdate | PinUpdateRefusal {
  const fields = readUpdate(update);
  if (fields === undefined) return 'update-malformed';
  if (!isSigned(update, signature, leafKey)) return 'update-signature';
  if (!fields.hosts.includes(host)) return 'update-other-host';
  if (fields.serial <= serial) return 'update-serial';
  const holds = fields.notBefore <= nowMs + CLOCK_SKEW_MS && nowMs < fields.notAfter;
  return holds && fields.notAfter - fields.notBefore <= MAX_LIFETIME_MS ? fields : 'update-dates';
}

/** What is signed: one text for given fields, so JSON in another form is refused by comparing it. */
function readUpdate(text: string): PinUpdate | undefined {
  if (text.length > MAX_UPDATE_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return validate(value) && canonicalPinUpdate(value) === text ? value : undefined;
}

/** RFC 8785 for this object: names in order; its strings hold nothing but ASCII that JSON leaves as it is. */
export const canonicalPinUpdate = ({
  hosts,
  notAfter,
  notBefore,
  pins,
  serial,
  v,
}: PinUpdate): string => JSON.stringify({ hosts, notAfter, notBefore, pins, serial, v });

/** The bytes that the gateway's TLS key signs. */
export const pinUpdateSigningInput = (text: string): Uint8Array =>
  labelled(LABEL, [{ variable: new TextEncoder().encode(text) }]);

function isSigned(text: string, signatureText: string, leafKey: KeyObject): boolean {
  const signature = fromBase64urlText(signatureText);
  if (signature === undefined) return false;
  try {
    const { hash, ...how } = algorithmOf(leafKey);
    return verify(hash, pinUpdateSigningInput(text), { key: leafKey, ...how }, signature);
  } catch {
    return false;
  }
}

function algorithmOf({ asymmetricKeyType }: KeyObject) {
  if (asymmetricKeyType === 'ed25519') return { hash: null };
  if (asymmetricKeyType === 'rsa')
    return {
      hash: 'sha256',
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    };
  return { hash: 'sha256', dsaEncoding: 'der' as const };
}
