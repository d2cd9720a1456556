/*
 * The lease keys of a gateway as the operator mounts them: keys.json lists what everybody may know of each key, KID.pem
 * (PKCS 8, RFC 8410) holds the private half of the current and the next one, and mostly of the one before.
 */
import { createHash } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import { leaseKeyId } from '../../protocol/lease/ids.js';
import type { LeaseKey } from '../../protocol/lease/lease.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { readSettings } from '../../runtime/settings.js';

const closed = { additionalProperties: false } as const;
/** RFC 3339 in UTC, whole seconds: what the operator writes. */
const time = () =>
  Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$', maxLength: 20 });

/** What keys.json holds: current, next, and for a while those that came before. */
const KEY_INDEX = Type.Array(
  Type.Object(
    {
      kid: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$', maxLength: 22 }),
      public: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43 }),
      notBefore: time(),
      notAfter: time(),
      publishedAt: time(),
      state: Type.Union([
        Type.Literal('current'),
        Type.Literal('next'),
        Type.Literal('retired'),
        Type.Literal('revoked'),
      ]),
    },
    closed,
  ),
  { maxItems: 48 },
);

type KeyState = Static<typeof KEY_INDEX>[number]['state'];

/** A lease key by its public half. Times are Unix milliseconds. */
export interface GatewayKey extends LeaseKey {
  readonly kid: string;
  readonly publishedAtMs: number;
  readonly state: KeyState;
}

/** The keys of this gateway, with the private halves that it has. */
export interface GatewayKeys {
  readonly all: readonly GatewayKey[];
  /** The 32-byte seed, for the call only; undefined when this process does not have it. */
  seedOf(kid: string): Uint8Array | undefined;
}

/** A public lease key as endpoints and administrators get it. */
export interface PublicLeaseKey {
  readonly kid: string;
  readonly publicKey: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What `welcome` and `keys.changed` have room for. */
const MAX_PUBLIC_KEYS = 8;

/**
 * The keys in `text`, the content of the file `source`.
 * @throws ActionableError ERR_SETTING or ERR_SETTINGS_FILE that names the key; nothing of the file is guessed
 */
export function readKeyIndex(text: string, source: string): readonly GatewayKey[] {
  const keys = readSettings(KEY_INDEX, parsed(text, source), source).map((entry) =>
    keyOf(entry, source),
  );
  for (const state of ['current', 'next'] as const)
    if (keys.filter((key) => key.state === state).length > 1)
      throw wrong(source, `names more than one ${state} key`);
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length)
    throw wrong(source, 'names a key twice');
  return keys;
}

/** Whose private halves are mounted, whatever happened before. */
export const isMounted = ({ state }: Pick<GatewayKey, 'state'>): boolean =>
  state === 'current' || state === 'next';

/** Keys with which endpoints check grants: those that sign or have signed, newest first, never a revoked one. */
export function publicKeys(keys: readonly GatewayKey[], nowMs: number): PublicLeaseKey[] {
  const rank = { current: 0, next: 1, retired: 2, revoked: 3 } as const;
  return keys
    .filter(({ state, notAfterMs }) => state !== 'revoked' && notAfterMs > nowMs)
    .sort((a, b) => rank[a.state] - rank[b.state] || b.notBeforeMs - a.notBeforeMs)
    .slice(0, MAX_PUBLIC_KEYS)
    .map(({ kid, publicKey, notBeforeMs, notAfterMs }) => ({
      kid,
      publicKey: Buffer.from(publicKey).toString('base64url'),
      notBefore: notBeforeMs,
      notAfter: notAfterMs,
    }));
}

function keyOf(entry: Static<typeof KEY_INDEX>[number], source: string): GatewayKey {
  const { kid, notBefore, notAfter, publishedAt, state } = entry;
  const publicKey = fromBase64urlText(entry.public);
  if (publicKey === undefined || leaseKeyId(publicKey, sha256) !== kid)
    throw wrong(source, `names key ${kid}, which is not the id of its key`);
  const times = [notBefore, notAfter, publishedAt].map((text) => Date.parse(text));
  const [notBeforeMs = NaN, notAfterMs = NaN, publishedAtMs = NaN] = times;
  if (times.some(Number.isNaN) || notBeforeMs >= notAfterMs)
    throw wrong(source, `names key ${kid}, whose dates are in no order`);
  return { kid, publicKey, notBeforeMs, notAfterMs, publishedAtMs, state };
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

function parsed(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrong(source, `is not JSON (${messageOf(cause)})`);
  }
}

const wrong = (source: string, problem: string): ActionableError =>
  new ActionableError(
    'ERR_SETTINGS_FILE',
    `The file ${source} ${problem}.`,
    'The operator writes it with the lease keys; see the events of the SignalingGateway.',
  );
