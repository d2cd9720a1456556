/*
 * What a relay and a gateway say to each other over the relay's registration (wire formats, B: relay to gateway): JSON
 * text messages on one WebSocket over mutual TLS per relay replica and permitted gateway. The relay dials. Each message
 * is closed: a field that is not here, or a message that is none of these, ends the connection.
 *
 *   relay    -> gateway  register    once, first
 *   gateway  -> relay    welcome     once, in answer: what was revoked and has not expired yet
 *   relay    -> gateway  heartbeat   every 5 seconds, and at once when keys or draining change
 *   gateway  -> relay    ack         one for each heartbeat
 *   gateway  -> relay    revoke      ends leases and lease keys of this gateway
 *   gateway  -> relay    drain       asks the relay to move its sessions and end
 */
import { Type, type Static } from 'typebox';

/** Path of the registration on a gateway's internal listener. */
export const RELAY_REGISTRY_PATH = '/relay-registry';
/** WebSocket subprotocol; a listener that does not choose it is no registry. */
export const RELAY_REGISTRY_PROTOCOL = 'sallyport.relay-registry.v1';
/** Version of the wire format between endpoints and this relay. */
export const RELAY_WIRE_VERSION = 1;
/** Seconds between two heartbeats. */
export const HEARTBEAT_SECONDS = 5;
/** Longest message from a relay: 48 key ids and numbers. */
export const MAX_FROM_RELAY_BYTES = 16_384;
/** Longest message from a gateway: a welcome that names MAX_REVOKED leases. */
export const MAX_FROM_GATEWAY_BYTES = 2 << 20;
/** Leases that one message may revoke; a gateway with more sends several. */
export const MAX_REVOKED = 65_536;

const closed = { additionalProperties: false } as const;

/** 16 bytes as base64url. */
const id = () => Type.String({ pattern: '^[A-Za-z0-9_-]{22}$', maxLength: 22 });
const kids = () => Type.Array(id(), { maxItems: 48 });
const jtis = () => Type.Array(id(), { maxItems: MAX_REVOKED });
const count = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Unix milliseconds. */
const instant = () => Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });

const register = Type.Object(
  {
    type: Type.Literal('register'),
    /** `NAMESPACE/NAME` of the RelayPool; must be the pool of the certificate. */
    pool: Type.String({ pattern: '^[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}$', maxLength: 317 }),
    ordinal: Type.Integer({ minimum: 0, maximum: 9_999 }),
    /** Random per start of the process, 16 bytes as hexadecimal. */
    boot: Type.String({ pattern: '^[0-9a-f]{32}$', maxLength: 32 }),
    wire: Type.Literal(RELAY_WIRE_VERSION),
    profile: Type.Literal('Standard'),
    /** Ids of the keys of this gateway that the relay accepts or will accept. */
    kids: kids(),
  },
  closed,
);

const heartbeat = Type.Object(
  {
    type: Type.Literal('heartbeat'),
    /** 1, 2, 3 ... per connection. */
    seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    /** The relay's clock. */
    at: instant(),
    sessions: count(),
    /** Since the start of the process: datagrams forwarded, their bytes, datagrams dropped. */
    packets: count(),
    bytes: count(),
    drops: count(),
    kids: kids(),
    draining: Type.Boolean(),
  },
  closed,
);

const welcome = Type.Object(
  {
    type: Type.Literal('welcome'),
    /** `jti` of revoked leases that have not expired. */
    revoked: jtis(),
    /** Ids of revoked keys. */
    kids: kids(),
  },
  closed,
);

const ack = Type.Object(
  {
    type: Type.Literal('ack'),
    /** Of the heartbeat. */
    seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    /** The gateway's clock. */
    at: instant(),
  },
  closed,
);

const revoke = Type.Object({ type: Type.Literal('revoke'), jti: jtis(), kids: kids() }, closed);

const drain = Type.Object(
  {
    type: Type.Literal('drain'),
    /** Until when the relay should go on forwarding; it never takes longer than its own settings say. */
    deadline: instant(),
  },
  closed,
);

/** Schema of what a relay sends. */
export const FROM_RELAY = Type.Union([register, heartbeat]);
/** Schema of what a gateway sends. */
export const FROM_GATEWAY = Type.Union([welcome, ack, revoke, drain]);

/** What a relay sends. */
export type FromRelay = Static<typeof FROM_RELAY>;
/** What a gateway sends. */
export type FromGateway = Static<typeof FROM_GATEWAY>;
