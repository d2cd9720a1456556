/*
 * Fields that messages between endpoints and gateways have in common. Every text is bounded before a pattern sees it.
 */
import { Type, type Static } from 'typebox';

export const closed = { additionalProperties: false } as const;

/** `bytes` bytes as base64url without padding. */
export const bytesOf = (bytes: number) => {
  const length = Math.ceil((bytes * 4) / 3);
  return Type.String({ pattern: `^[A-Za-z0-9_-]{${length}}$`, maxLength: length });
};
/** Up to `most` bytes as base64url without padding. */
export const bytesUpTo = (most: number) => {
  const length = Math.ceil((most * 4) / 3);
  return Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: length });
};
/** Unix milliseconds. */
export const instant = () => Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
/** `sp1...`: the fingerprint of an account. */
export const fingerprint = () => Type.String({ pattern: '^sp1[a-z2-7]{32}$', maxLength: 35 });
/** 16 bytes that name a device, as base64url. */
export const deviceId = () => bytesOf(16);
/** A name that the gateway gave: of a session, a second factor, an invite. Says nothing by itself. */
export const handle = () => bytesOf(16);

/** Kinds of second factors that exist. A message to a telephone is none of them: it can be redirected. */
export const FACTOR_KINDS = ['WebAuthn', 'TOTP', 'RecoveryCode'] as const;
/** A kind of second factor. */
export type FactorKind = (typeof FACTOR_KINDS)[number];
export const factorKind = () =>
  Type.Unsafe<FactorKind>({ type: 'string', enum: [...FACTOR_KINDS] });

/** What a browser or a security key answers (WebAuthn level 3, 5.1.3), as its JSON form; checked field by field later. */
const webAuthnAnswer = () =>
  Type.Object(
    {
      id: bytesUpTo(1_023),
      clientDataJSON: bytesUpTo(2_048),
      authenticatorData: bytesUpTo(2_048),
      signature: bytesUpTo(1_024),
      userHandle: Type.Optional(bytesUpTo(64)),
    },
    closed,
  );

/** Proof of a second factor. */
export const factorProof = () =>
  Type.Union([
    Type.Object(
      { kind: Type.Literal('TOTP'), code: Type.String({ pattern: '^[0-9]{6}$', maxLength: 6 }) },
      closed,
    ),
    Type.Object(
      {
        kind: Type.Literal('RecoveryCode'),
        code: Type.String({ pattern: '^[a-z2-7-]{10,40}$', maxLength: 40 }),
      },
      closed,
    ),
    Type.Object({ kind: Type.Literal('WebAuthn'), answer: webAuthnAnswer() }, closed),
  ]);

/** Proof of a second factor. */
export type FactorProof = Static<ReturnType<typeof factorProof>>;
