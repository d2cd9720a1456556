/*
 * What an endpoint remembers besides its identity, as it lies under the seal of its second file: JSON behind its length
 * (u32, big-endian), filled up with zeros to a multiple of 4,096 bytes, so that the file's length tells little.
 */
import { Ajv } from 'ajv';
import { Type, type Static } from 'typebox';
import { bytesOf, closed, fingerprint, instant } from '../../messages/fields.js';
import { readU32, u32 } from '../../protocol/bytes.js';
import { decodeDeviceBinding } from '../../protocol/identity/device-binding.js';
import { verifyRevocation } from '../../protocol/identity/revocation.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import { MAX_CONTACTS, MAX_DEVICES, type Contact, type ContactBook } from './contact-book.js';

const LENGTH_BYTES = 4;
const PAGE_BYTES = 4_096;

const gateway = Type.Object(
  {
    /** HOST:PORT */
    name: Type.String({ maxLength: 300 }),
    session: Type.Optional(bytesOf(32)),
    learned: Type.Optional(
      Type.Object(
        {
          pins: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 4 }),
          serial: Type.Integer({ minimum: 0 }),
          notAfter: instant(),
        },
        closed,
      ),
    ),
  },
  closed,
);

const contact = Type.Object(
  {
    fingerprint: fingerprint(),
    name: Type.Optional(Type.String({ maxLength: 64 })),
    state: Type.Unsafe<Contact['state']>({
      type: 'string',
      enum: ['asked', 'asking', 'accepted', 'blocked'],
    }),
    pathPolicy: Type.Unsafe<Contact['pathPolicy']>({
      type: 'string',
      enum: ['RelayOnly', 'DirectAllowed'],
    }),
    verified: Type.Boolean(),
    keyChanged: Type.Boolean(),
    devices: Type.Array(bytesOf(201), { maxItems: MAX_DEVICES }),
  },
  closed,
);

/** What the identity file held when this was written: one that holds less was put back since. */
const noted = Type.Object(
  {
    serial: Type.Integer({ minimum: 0 }),
    revocations: Type.Integer({ minimum: 0 }),
  },
  closed,
);

const MEMORY = Type.Object(
  {
    v: Type.Literal(1),
    identity: Type.Optional(noted),
    gateways: Type.Array(gateway, { maxItems: 64 }),
    contacts: Type.Array(contact, { maxItems: MAX_CONTACTS }),
    revocations: Type.Array(bytesOf(128), { maxItems: 65_536 }),
  },
  closed,
);

/** What is remembered of one gateway. */
export type GatewayRecord = Static<typeof gateway>;

/** The serial of the device binding in the identity file, and how many revocations it holds. */
export type NotedIdentity = Static<typeof noted>;

/** What lies beside the contacts. */
export interface RememberedPlaces {
  readonly gateways: readonly GatewayRecord[];
  /** Undefined in what was written before this was noted. */
  readonly identity: NotedIdentity | undefined;
}

/** Why opened bytes are no memory. A closed list. */
export type MemoryRefusal = 'memory-length' | 'memory-not-json' | 'memory-fields';

const validate = new Ajv({ strict: false, unicodeRegExp: false }).compile<Static<typeof MEMORY>>(
  MEMORY,
);

/** The bytes; they hold who is known to whom, and the caller erases them. `revocations` are those of contacts. */
export function encodeMemory(
  { gateways, identity }: RememberedPlaces,
  contacts: readonly Contact[],
  revocations: readonly Uint8Array[],
): Uint8Array {
  const json = new TextEncoder().encode(
    JSON.stringify({
      v: 1,
      ...(identity !== undefined && { identity }),
      gateways,
      contacts: contacts.map(({ name, identity: _identity, devices, ...rest }) => ({
        ...rest,
        ...(name !== undefined && { name }),
        devices: devices.map(({ bytes }) => toBase64url(bytes)),
      })),
      revocations: revocations.map(toBase64url),
    }),
  );
  const needed = LENGTH_BYTES + json.length;
  const bytes = new Uint8Array(Math.ceil(needed / PAGE_BYTES) * PAGE_BYTES);
  bytes.set(u32(json.length));
  bytes.set(json, LENGTH_BYTES);
  json.fill(0);
  return bytes;
}

/** Puts the contacts into `book` and gives the rest, or says why the bytes are no memory; then nothing has changed. */
export function decodeMemory(
  bytes: Uint8Array,
  backend: CryptoBackend,
  book: ContactBook,
): RememberedPlaces | MemoryRefusal {
  const end = LENGTH_BYTES + readU32(bytes, 0);
  if (bytes.length < LENGTH_BYTES || end > bytes.length) return 'memory-length';
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8').decode(bytes.subarray(LENGTH_BYTES, end)));
  } catch {
    return 'memory-not-json';
  }
  if (!validate(value)) return 'memory-fields';
  for (const text of value.revocations) {
    const revocation = verifyRevocation(backend, fromBase64urlText(text) ?? new Uint8Array());
    if (typeof revocation !== 'string') book.revocations.add(revocation);
  }
  for (const { name, devices, ...rest } of value.contacts) {
    const known = devices.flatMap((text) => deviceOf(text) ?? []);
    book.restore({ ...rest, name, devices: known, identity: known[0]?.keys.identity });
  }
  return { gateways: value.gateways, identity: value.identity };
}

/** It was verified when it came and lay under the seal since; dates and revocation are judged at each use. */
function deviceOf(text: string): Contact['devices'][number] | undefined {
  const bytes = fromBase64urlText(text);
  const keys = bytes && decodeDeviceBinding(bytes);
  return bytes === undefined || keys === undefined || typeof keys === 'string'
    ? undefined
    : { bytes, keys };
}
