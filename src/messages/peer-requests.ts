/*
 * Requests with which endpoints find each other and get leases (wire formats, B: prekey, rendezvous token, envelope,
 * lease, grant). Nothing of it is stored.
 */
import { Type } from 'typebox';
import { bytesOf, bytesUpTo, closed, deviceId, fingerprint, instant } from './fields.js';

/** Tokens of one `rendezvous.listen`; a socket holds at most MAX_RENDEZVOUS_TOKENS. */
export const MAX_TOKENS_PER_MESSAGE = 256;
/** Rendezvous tokens that one connection may register (wire formats, B). */
export const MAX_RENDEZVOUS_TOKENS = 4_096;
/** Kinds of handshake failures that endpoints report: the refusals of sessions in groups, no more than 12. */
export const REPORTED_HANDSHAKES = [
  'succeeded',
  'no-answer',
  'stranger',
  'wrong-token',
  'wrong-profile',
  'binding-invalid',
  'device-revoked',
  'malformed',
  'expired',
  'other',
] as const;

const relayId = () =>
  Type.String({ pattern: '^[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}/[0-9]{1,4}$', maxLength: 323 });
const token = () => bytesOf(16);
const tokens = () => Type.Array(token(), { minItems: 1, maxItems: MAX_TOKENS_PER_MESSAGE });
const empty = () => Type.Object({}, closed);
/** An envelope is padded to 512, 2,048 or 8,192 bytes. */
export const envelope = () => bytesUpTo(8_192);

/** A connected device and how to seal something for it. */
export const reachableDevice = () =>
  Type.Object(
    {
      device: bytesOf(201),
      prekey: bytesOf(164),
      revocations: Type.Array(bytesOf(128), { maxItems: 16 }),
    },
    closed,
  );

/** Where a relay is, for endpoints. */
export const relayPlace = () =>
  Type.Object(
    {
      rid: relayId(),
      region: Type.String({ maxLength: 63 }),
      address: Type.String({ maxLength: 253 }),
      port: Type.Integer({ minimum: 1, maximum: 65_535 }),
      /** TLS on TCP, for networks without UDP. */
      fallback: Type.Optional(
        Type.Object(
          {
            port: Type.Integer({ minimum: 1, maximum: 65_535 }),
            /** `sha256/BASE64` of the key, or of the CA that issued it. */
            pins: Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 4 }),
            /** URI SAN of the leaf that answers there. */
            identity: Type.String({ maxLength: 512 }),
          },
          closed,
        ),
      ),
    },
    closed,
  );

export const PEER_REQUESTS = {
  /** Holds a prekey while this connection is open, for who addresses this device. */
  'prekey.publish': {
    request: Type.Object({ prekey: bytesOf(164) }, closed),
    answer: empty(),
  },
  /** Registers rendezvous tokens under which this connection can be reached. */
  'rendezvous.listen': { request: Type.Object({ tokens: tokens() }, closed), answer: empty() },
  /** Takes tokens back. */
  'rendezvous.forget': { request: Type.Object({ tokens: tokens() }, closed), answer: empty() },
  /** The prekey of who registered `token`; `peer-absent` if nobody did. */
  'rendezvous.prekey': {
    request: Type.Object({ token: token() }, closed),
    answer: reachableDevice(),
  },
  /** Hands an envelope to who registered `token`; `peer-absent` if nobody did. Nothing is queued. */
  'envelope.send': {
    request: Type.Object({ token: token(), envelope: envelope() }, closed),
    answer: empty(),
  },
  /** First contact: the connected devices of an account. Limited per account and hour. */
  'contact.find': {
    request: Type.Object({ account: fingerprint() }, closed),
    answer: Type.Object({ devices: Type.Array(reachableDevice(), { maxItems: 8 }) }, closed),
  },
  /** First contact: hands an envelope that names its sender to one device of an account. Limited per account and hour. */
  'contact.introduce': {
    request: Type.Object(
      { account: fingerprint(), device: deviceId(), envelope: envelope() },
      closed,
    ),
    answer: empty(),
  },
  /** A relay that is alive, not draining, and has room: in `region` if possible, and none of `avoid`. */
  'relay.choose': {
    request: Type.Object(
      {
        region: Type.Optional(Type.String({ maxLength: 63 })),
        avoid: Type.Array(relayId(), { maxItems: 8 }),
      },
      closed,
    ),
    answer: relayPlace(),
  },
  /** Where the relay `rid` is that a peer has chosen; `no-relay` when it takes no new leases. */
  'relay.find': { request: Type.Object({ rid: relayId() }, closed), answer: relayPlace() },
  /** A lease for one side of a session. The signature by `spk` shows that the session is the endpoint's. */
  'lease.issue': {
    request: Type.Object(
      {
        rid: relayId(),
        role: Type.Union([Type.Literal('client'), Type.Literal('server')]),
        spk: bytesOf(32),
        sid: bytesOf(16),
        cpk: bytesOf(32),
        signature: bytesOf(64),
      },
      closed,
    ),
    answer: Type.Object(
      {
        lease: Type.String({ maxLength: 1_089 }),
        jti: bytesOf(16),
        expiresAt: instant(),
      },
      closed,
    ),
  },
  /** Gives a lease of this account back before it expires. */
  'lease.return': {
    request: Type.Object({ jti: bytesOf(16) }, closed),
    answer: empty(),
  },
  /** What the roles of this account allow in files and calls, for peers to check: a PASETO for this device. */
  'grant.issue': {
    request: empty(),
    answer: Type.Object({ grant: Type.String({ maxLength: 2_048 }), expiresAt: instant() }, closed),
  },
  /** How handshakes ended since the last report: numbers only. */
  'handshakes.report': {
    request: Type.Object(
      {
        counts: Type.Array(
          Type.Object(
            {
              outcome: Type.Unsafe<(typeof REPORTED_HANDSHAKES)[number]>({
                type: 'string',
                enum: [...REPORTED_HANDSHAKES],
              }),
              count: Type.Integer({ minimum: 1, maximum: 1_000 }),
            },
            closed,
          ),
          { minItems: 1, maxItems: REPORTED_HANDSHAKES.length },
        ),
      },
      closed,
    ),
    answer: empty(),
  },
} as const;
