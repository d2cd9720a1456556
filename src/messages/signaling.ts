/*
 * What an endpoint and a gateway say to each other on one WebSocket over TLS 1.3 (wire formats, B: login, signaling).
 * JSON text messages, closed: a field that is not here, or a message that is none of these, ends the connection.
 *
 *   gateway -> endpoint  challenge      once, first
 *   endpoint -> gateway  login          once
 *   gateway -> endpoint  second-factor  when policy asks for one; the endpoint answers with `second-factor`
 *   gateway -> endpoint  welcome        the endpoint is in; requests and notices follow
 *   gateway -> endpoint  refused        the login failed; the connection ends
 *   endpoint -> gateway  request        {id, name, body}: see requests.ts
 *   gateway -> endpoint  answer         {id, body} or {id, refused}: one for each request, in any order
 *   gateway -> endpoint  notice         what nobody asked for: see notices.ts
 */
import { Type, type Static } from 'typebox';
import {
  bytesOf,
  bytesUpTo,
  closed,
  factorKind,
  factorProof,
  fingerprint,
  instant,
} from './fields.js';

/** Path of the signaling on a gateway's public listener; no other path exists there. */
export const SIGNALING_PATH = '/signaling';
/** WebSocket subprotocol; a listener that does not choose it is no gateway. */
export const SIGNALING_PROTOCOL = 'sallyport.signaling.v1';
/** Longest message from an endpoint: an envelope of 8,192 bytes as base64url, or 256 rendezvous tokens. */
export const MAX_FROM_ENDPOINT_BYTES = 16_384;
/** Longest message from a gateway: one page of a list. */
export const MAX_FROM_GATEWAY_BYTES = 65_536;

const challenge = Type.Object(
  {
    type: Type.Literal('challenge'),
    /** Random, for one login on this connection. */
    challenge: bytesOf(32),
    profile: Type.Literal('Standard'),
    /** The gateway's clock. */
    at: instant(),
  },
  closed,
);

const login = Type.Object(
  {
    type: Type.Literal('login'),
    /** The host name that was dialled: one of the gateway's hosts. */
    host: Type.String({ pattern: '^[a-z0-9:]([a-z0-9.:-]{0,251}[a-z0-9:])?$', maxLength: 253 }),
    /** 1: the signature covers the TLS exporter of this connection (RFC 9266). 0: it covers zeros. */
    binding: Type.Union([Type.Literal(0), Type.Literal(1)]),
    /** The device binding, signed by the identity key. */
    device: bytesOf(201),
    /** Revocations of devices of this account, newest last. */
    revocations: Type.Array(bytesOf(128), { maxItems: 16 }),
    /** The device key's signature over the login. */
    signature: bytesOf(64),
    /** Token of a session of this device that is still open: it goes on, with the second factor that it had. */
    session: Type.Optional(bytesOf(32)),
    /** A single-use code with which a new account gets in. */
    invite: Type.Optional(Type.String({ pattern: '^[a-z2-7-]{10,40}$', maxLength: 40 })),
  },
  closed,
);

const secondFactorWanted = Type.Object(
  {
    type: Type.Literal('second-factor'),
    /** Kinds that this account has and policy accepts. */
    kinds: Type.Array(factorKind(), { maxItems: 3 }),
    /** For a WebAuthn assertion: challenge, relying party, and the credentials of this account. */
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
    attemptsLeft: Type.Integer({ minimum: 0, maximum: 100 }),
  },
  closed,
);

const secondFactor = Type.Object(
  { type: Type.Literal('second-factor'), proof: factorProof() },
  closed,
);

/** A public lease key as endpoints get it, to check grants with. */
const leaseKey = Type.Object(
  { kid: bytesOf(16), publicKey: bytesOf(32), notBefore: instant(), notAfter: instant() },
  closed,
);

const welcome = Type.Object(
  {
    type: Type.Literal('welcome'),
    /** NAMESPACE/NAME of the gateway, as lease requests name it. */
    gateway: Type.String({ pattern: '^[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}$', maxLength: 317 }),
    account: fingerprint(),
    /** Token of the session, only when it is new; it is the holder's to keep and is stored nowhere as it is. */
    session: Type.Optional(bytesOf(32)),
    /** The session ends then, whatever happens. */
    endsAt: instant(),
    /** ... or after this silence. */
    idleSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
    administrator: Type.Boolean(),
    roles: Type.Array(Type.String({ maxLength: 253 }), { maxItems: 64 }),
    /** Set when policy wants a second factor and the account has none: nothing else is answered before it has. */
    enrolSecondFactor: Type.Boolean(),
    leaseKeys: Type.Array(leaseKey, { maxItems: 8 }),
    at: instant(),
  },
  closed,
);

/**
 * Why a login is refused. Before a valid device signature there is one reason, `login-failed`, whatever was wrong:
 * nobody learns whether an account exists or is locked. The others are told to the holder of the device key.
 */
export const LOGIN_REFUSALS = [
  'login-failed',
  'account-awaits-approval',
  'device-awaits-approval',
  'device-revoked',
  'binding-outdated',
  'too-many-devices',
  'registration-closed',
  'invite-invalid',
  'account-locked',
  'second-factor-failed',
  'no-second-factor',
  'too-many-connections',
  'too-many-logins',
  'too-slow',
  'unavailable',
] as const;
/** Why a login is refused. */
export type LoginRefusal = (typeof LOGIN_REFUSALS)[number];

const refused = Type.Object(
  {
    type: Type.Literal('refused'),
    reason: Type.Unsafe<LoginRefusal>({ type: 'string', enum: [...LOGIN_REFUSALS] }),
    /** When to try again. */
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 604_800 })),
  },
  closed,
);

const request = Type.Object(
  {
    type: Type.Literal('request'),
    /** Chosen by the endpoint, unique among its unanswered requests. */
    id: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
    name: Type.String({ pattern: '^[a-z]+(-[a-z]+)*(\\.[a-z]+(-[a-z]+)*)+$', maxLength: 48 }),
    /** Closed by the schema of its name in requests.ts. */
    body: Type.Unsafe<Record<string, unknown>>({ type: 'object' }),
  },
  closed,
);

/**
 * Why a request is refused. A closed list; `code` beside it is the HTTP status code of the same meaning (RFC 9110,
 * section 15), for dashboards and exit codes.
 */
export const REQUEST_REFUSALS = {
  'bad-request': 400,
  'unknown-request': 404,
  'not-found': 404,
  forbidden: 403,
  'step-up-needed': 403,
  'second-factor-needed': 403,
  'own-request': 403,
  'proof-invalid': 403,
  'already-exists': 409,
  'already-done': 409,
  'token-taken': 409,
  'too-many': 429,
  'quota-reached': 429,
  'peer-absent': 410,
  'no-relay': 503,
  unavailable: 503,
} as const;
/** Why a request is refused. */
export type RequestRefusal = keyof typeof REQUEST_REFUSALS;

const answer = Type.Object(
  {
    type: Type.Literal('answer'),
    id: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
    body: Type.Unsafe<Record<string, unknown>>({ type: 'object' }),
  },
  closed,
);

const refusedAnswer = Type.Object(
  {
    type: Type.Literal('answer'),
    id: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
    refused: Type.Object(
      {
        code: Type.Integer({ minimum: 400, maximum: 599 }),
        reason: Type.Unsafe<RequestRefusal>({
          type: 'string',
          enum: Object.keys(REQUEST_REFUSALS),
        }),
        retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 604_800 })),
      },
      closed,
    ),
  },
  closed,
);

const notice = Type.Object(
  {
    type: Type.Literal('notice'),
    name: Type.String({ pattern: '^[a-z]+(-[a-z]+)*(\\.[a-z]+(-[a-z]+)*)+$', maxLength: 48 }),
    /** Closed by the schema of its name in notices.ts. */
    body: Type.Unsafe<Record<string, unknown>>({ type: 'object' }),
  },
  closed,
);

/** Schema of what an endpoint sends. */
export const FROM_ENDPOINT = Type.Union([login, secondFactor, request]);
/** Schema of what a gateway sends. */
export const FROM_GATEWAY_TO_ENDPOINT = Type.Union([
  challenge,
  secondFactorWanted,
  welcome,
  refused,
  answer,
  refusedAnswer,
  notice,
]);

/** What an endpoint sends. */
export type FromEndpoint = Static<typeof FROM_ENDPOINT>;
/** What a gateway sends to an endpoint. */
export type ToEndpoint = Static<typeof FROM_GATEWAY_TO_ENDPOINT>;
/** The login of an endpoint. */
export type Login = Static<typeof login>;
/** That the login succeeded, and under which conditions. */
export type Welcome = Static<typeof welcome>;
/** What an endpoint asks. */
export type EndpointRequest = Static<typeof request>;

/**
 * Close codes of the WebSocket (RFC 6455, section 7.4.2: 4000 to 4999 are private). The reason text is the name.
 */
export const CLOSE_CODES = {
  'bad-message': 4400,
  'login-refused': 4401,
  'session-ended': 4403,
  'too-slow': 4408,
  superseded: 4409,
  'too-many': 4429,
  'gateway-ends': 4503,
} as const;
/** Why a gateway closes a connection. */
export type CloseName = keyof typeof CLOSE_CODES;
