/*
 * Requests of an account about itself: its devices, sessions and second factors, and proof of a second factor for what
 * follows (step-up).
 */
import { Type } from 'typebox';
import {
  bytesOf,
  bytesUpTo,
  closed,
  deviceId,
  factorKind,
  factorProof,
  handle,
  instant,
} from './fields.js';

const empty = () => Type.Object({}, closed);
const label = () => Type.String({ pattern: '^[A-Za-z0-9 ._-]{1,40}$', maxLength: 40 });

/** A device, as its owner and administrators see it. */
export const deviceView = () =>
  Type.Object(
    {
      device: deviceId(),
      state: Type.Union([Type.Literal('Pending'), Type.Literal('Active'), Type.Literal('Revoked')]),
      /** Day of the enrolment, midnight UTC. */
      enrolledOn: instant(),
      notAfter: instant(),
    },
    closed,
  );

/** A session, as its owner and administrators see it. No address, no exact time. */
export const sessionView = () =>
  Type.Object(
    {
      session: handle(),
      device: deviceId(),
      /** To the hour. */
      beganAt: instant(),
      endsAt: instant(),
      current: Type.Boolean(),
    },
    closed,
  );

/** A second factor, as its owner sees it. */
export const factorView = () =>
  Type.Object(
    { factor: handle(), kind: factorKind(), label: label(), enrolledOn: instant() },
    closed,
  );

export const OWN_REQUESTS = {
  'device.list': {
    request: empty(),
    answer: Type.Object({ devices: Type.Array(deviceView(), { maxItems: 64 }) }, closed),
  },
  /** Ends sockets, sessions and leases of a device for ever; the identity key has signed it. */
  'device.revoke': {
    request: Type.Object({ revocation: bytesOf(128) }, closed),
    answer: empty(),
  },
  'session.list': {
    request: empty(),
    answer: Type.Object({ sessions: Type.Array(sessionView(), { maxItems: 64 }) }, closed),
  },
  /** Ends one session of this account; without a handle the present one (logout). */
  'session.end': {
    request: Type.Object({ session: Type.Optional(handle()) }, closed),
    answer: empty(),
  },
  /** Proof of a second factor now: what asks for step-up is allowed for the next 5 minutes. */
  'step-up.begin': {
    request: empty(),
    answer: Type.Object(
      {
        kinds: Type.Array(factorKind(), { maxItems: 3 }),
        webAuthn: Type.Optional(
          Type.Object(
            {
              challenge: bytesOf(32),
              rpId: Type.String({ maxLength: 253 }),
              credentials: Type.Array(bytesUpTo(1_023), { maxItems: 16 }),
              userVerification: Type.Union([Type.Literal('required'), Type.Literal('preferred')]),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
  },
  'step-up.prove': {
    request: Type.Object({ proof: factorProof() }, closed),
    answer: Type.Object({ until: instant() }, closed),
  },
  'factor.list': {
    request: empty(),
    answer: Type.Object({ factors: Type.Array(factorView(), { maxItems: 16 }) }, closed),
  },
  /** A new TOTP secret, shown once; it counts after `factor.totp.confirm`. */
  'factor.totp.begin': {
    request: empty(),
    answer: Type.Object({ secret: bytesOf(20), uri: Type.String({ maxLength: 512 }) }, closed),
  },
  'factor.totp.confirm': {
    request: Type.Object(
      { code: Type.String({ pattern: '^[0-9]{6}$', maxLength: 6 }), label: label() },
      closed,
    ),
    answer: Type.Object({ factor: handle() }, closed),
  },
  /** Challenge and parameters for a new security key or platform authenticator. */
  'factor.web-authn.begin': {
    request: empty(),
    answer: Type.Object(
      {
        challenge: bytesOf(32),
        rpId: Type.String({ maxLength: 253 }),
        userHandle: bytesUpTo(64),
        /** COSE algorithm numbers that are accepted, best first. */
        algorithms: Type.Array(Type.Integer({ minimum: -65_535, maximum: 0 }), { maxItems: 4 }),
        attachment: Type.Optional(
          Type.Union([Type.Literal('cross-platform'), Type.Literal('platform')]),
        ),
        userVerification: Type.Union([Type.Literal('required'), Type.Literal('preferred')]),
        exclude: Type.Array(bytesUpTo(1_023), { maxItems: 16 }),
      },
      closed,
    ),
  },
  'factor.web-authn.confirm': {
    request: Type.Object(
      {
        id: bytesUpTo(1_023),
        clientDataJSON: bytesUpTo(2_048),
        attestationObject: bytesUpTo(4_096),
        transports: Type.Array(Type.String({ pattern: '^[a-z-]{1,16}$', maxLength: 16 }), {
          maxItems: 8,
        }),
        label: label(),
      },
      closed,
    ),
    answer: Type.Object({ factor: handle() }, closed),
  },
  /** Ten new single-use codes, shown once; the ones before are worthless from then on. */
  'factor.recovery-codes.renew': {
    request: empty(),
    answer: Type.Object(
      { codes: Type.Array(Type.String({ maxLength: 40 }), { minItems: 10, maxItems: 10 }) },
      closed,
    ),
  },
  'factor.remove': {
    request: Type.Object({ factor: handle() }, closed),
    answer: empty(),
  },
  /** Everything that the gateway stores about this account. */
  'account.export': {
    request: empty(),
    answer: Type.Object(
      { account: Type.Unsafe<Record<string, unknown>>({ type: 'object' }) },
      closed,
    ),
  },
  /** Deletes this account and all that is stored about it, as far as retention allows. */
  'account.delete': { request: empty(), answer: empty() },
} as const;
