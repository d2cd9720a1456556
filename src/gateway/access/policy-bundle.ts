/*
 * The signed policy bundle as the operator writes it (wire formats, B): verified before a word of it counts.
 */
import { Type, type Static } from 'typebox';
import { Ajv } from 'ajv';
import { labelled } from '../../protocol/bytes.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import type { BundleRole } from '../../policy/roles.js';
import { OWN_SCHEMAS } from '../../runtime/own-schemas.js';

/** Longest bundle that the u16 of the signed form can name. */
const MAX_BUNDLE_BYTES = 65_535;
const closed = { additionalProperties: false } as const;

const signed = Type.Object(
  {
    bundle: Type.String({ maxLength: MAX_BUNDLE_BYTES }),
    kid: Type.String({ maxLength: 64 }),
    signature: Type.String({ pattern: '^[A-Za-z0-9_-]{86}$', maxLength: 86 }),
  },
  closed,
);

const text = (maxLength: number) => Type.String({ maxLength });
const seconds = Type.Integer({ minimum: 0, maximum: 3_155_760_000 });
const permission = Type.Object(
  {
    resource: text(32),
    verbs: Type.Array(text(16), { maxItems: 16 }),
    conditions: Type.Optional(
      Type.Object(
        {
          sourceCidrs: Type.Optional(Type.Array(text(49), { maxItems: 64 })),
          secondFactorWithinSeconds: Type.Optional(seconds),
        },
        closed,
      ),
    ),
  },
  closed,
);
/** Sections that the schema of the resource has bounded already; the signature vouches for it. */
const section = Type.Object({}, { additionalProperties: true });
const role = Type.Object(
  {
    name: text(253),
    permissions: Type.Array(permission, { maxItems: 64 }),
    mfa: section,
    calls: section,
    assignment: Type.Union([Type.Literal('Listed'), Type.Literal('Everyone')]),
    sessions: Type.Optional(section),
    auditLevel: Type.Optional(text(16)),
    files: Type.Optional(section),
    expiresAt: Type.Optional(text(40)),
    subjects: Type.Array(text(64), { maxItems: 10_000 }),
  },
  closed,
);
const content = Type.Object(
  {
    v: Type.Literal(1),
    gateway: text(64),
    serial: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    issuedAt: text(40),
    roles: Type.Array(role, { maxItems: 1_024 }),
  },
  closed,
);

const ajv = new Ajv(OWN_SCHEMAS);
const isSigned = ajv.compile<Static<typeof signed>>(signed);
const isContent = ajv.compile<Static<typeof content>>(content);

/** What a bundle says. */
export interface VerifiedBundle {
  readonly serial: number;
  readonly roles: readonly BundleRole[];
}

/** Why a bundle is not taken. A closed list: each is a metric label. */
export const BUNDLE_REFUSALS = [
  'not-a-bundle',
  'bad-signature',
  'other-gateway',
  'older-serial',
] as const;
/** Why a bundle is not taken. */
export type BundleRefusal = (typeof BUNDLE_REFUSALS)[number];

/**
 * How a bundle was received; each is a metric label. `other-database`: the database has taken the policy of a gateway with
 * another UID, which was deleted since or works on it still.
 */
export const BUNDLE_OUTCOMES = [
  'taken',
  'absent',
  'store-unavailable',
  'other-database',
  ...BUNDLE_REFUSALS,
] as const;

/** Who may sign, and for whom it must be. */
export interface BundleExpectation {
  /** Ed25519 public keys, 32 bytes each: current and next. */
  readonly publicKeys: readonly Uint8Array[];
  /** UID of the gateway's resource. */
  readonly uid: string;
}

/**
 * Reads the text of bundle.json and verifies it: signature, gateway, form. Whether its serial is high enough is the
 * store's to say (`raisePolicySerial`). Never throws.
 */
export function readBundle(
  json: string,
  { publicKeys, uid }: BundleExpectation,
  backend: CryptoBackend,
): VerifiedBundle | BundleRefusal {
  const outer = parse(json);
  if (!isSigned(outer)) return 'not-a-bundle';
  const bytes = new TextEncoder().encode(outer.bundle);
  const signature = fromBase64urlText(outer.signature);
  if (bytes.length > MAX_BUNDLE_BYTES || signature === undefined) return 'not-a-bundle';
  const message = labelled('sallyport policy bundle v1', [{ variable: bytes }]);
  const isGenuine = publicKeys.some((key) => backend.ed25519Verify(key, message, signature));
  if (!isGenuine) return 'bad-signature';
  const inner = parse(outer.bundle);
  if (!isContent(inner)) return 'not-a-bundle';
  if (inner.gateway !== uid) return 'other-gateway';
  // The operator's schema of roles is stricter than the one above, and it signed them.
  return { serial: inner.serial, roles: inner.roles as unknown as readonly BundleRole[] };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
