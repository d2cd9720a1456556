/*
 * The settings of the relay: one schema, read by the relay at start and on change, written by the operator.
 * They arrive as a mounted settings.json, the same for all replicas of a pool; a replica learns its ordinal
 * from the name of its pod. Each value says what it means, its unit and bounds. `live: true` marks a value
 * that a running relay takes up when the file changes; every other value needs a new process, feeds a hash in
 * the pod template, and so, and only so, rolls pods. Unknown fields are refused. The directory of gateways is
 * a second file: settings-gateways.ts.
 */
import { Type, type Static } from 'typebox';
import { RELAY_GATEWAYS, type RelayGateway, type RelayGateways } from './settings-gateways.js';

export { RELAY_GATEWAYS, type RelayGateway, type RelayGateways };

/** The version of the schema below; an image reads this version and the one before. */
export const RELAY_SETTINGS_VERSION = 1;

/** Where the operator mounts each file, and where the relay looks for it. */
export const RELAY_PATHS = {
  settings: '/etc/sallyport/settings/settings.json',
  gateways: '/etc/sallyport/gateways',
  tls: '/etc/sallyport/tls',
} as const;

/** Relay frames and STUN, TLS fallback, health and metrics (wire formats, B: ports). */
export const RELAY_PORTS = { relay: 3478, fallback: 5349, metrics: 9090 } as const;

const live = { live: true } as const;
const closed = { additionalProperties: false } as const;

/** Ports below 1024 need a capability that no pod of ours has. */
const PORT = { minimum: 1024, maximum: 65_535 } as const;
/** An absolute path. Without a cluster it stands below a folder of the person, who may have named it with blanks. */
const PATH = { pattern: '^/[^\\x00-\\x1f\\x7f]*$', maxLength: 4_096 } as const;
/** Characters of an IP address or range; the relay parses the value strictly when it reads it. */
const ADDRESS = { pattern: '^[0-9a-fA-F:.]{2,45}$' } as const;
const CIDR = { pattern: '^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$' } as const;

const port = (purpose: string) => Type.Integer({ ...PORT, description: `Port of ${purpose}.` });

const addresses = Type.Array(Type.String(ADDRESS), {
  maxItems: 8,
  default: [],
  description: 'IP addresses to listen on; empty means all addresses of the pod, IPv6 and IPv4.',
});

const file = (description: string) => Type.String({ ...PATH, description });

const count = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ ...live, minimum, maximum, description });

const listeners = Type.Object(
  {
    relay: Type.Object({ port: port('relay frames and STUN, UDP'), addresses }, closed),
    fallback: Type.Object(
      {
        enabled: Type.Boolean({
          description: 'Takes the same frames over TLS 1.3 too, for networks that drop UDP.',
        }),
        port: port('the TLS fallback, TCP'),
        addresses,
      },
      closed,
    ),
    health: Type.Object(
      {
        port: Type.Integer({
          ...PORT,
          default: RELAY_PORTS.metrics,
          description: 'Port of /livez, /readyz and /metrics, plain HTTP.',
        }),
        addresses,
      },
      closed,
    ),
  },
  closed,
);

const capacity = Type.Object(
  {
    maxSessions: count(1, 100_000, 'Sessions at one time; beyond it new ones are refused.'),
    softKbpsPerSession: count(
      64,
      10_000_000,
      'Kilobits per second up to which a session is never slowed down, both directions together.',
    ),
    hardKbpsPerSession: count(
      64,
      10_000_000,
      'Kilobits per second above which packets of a session are dropped. A lease may allow less.',
    ),
  },
  closed,
);

/** Per address means per IPv4 address or per IPv6 /64: a /64 is what one subscriber gets. */
const rateLimits = Type.Object(
  {
    handshakesPerAddressPerSecond: count(1, 1_000, 'HELLO and PROVE of one address, per second.'),
    handshakesPerSecond: count(
      1,
      100_000,
      'PROVE of everybody, per second, and 50 times as many HELLO.',
    ),
    stunRequestsPerAddressPerSecond: count(1, 1_000, 'STUN requests of one address, per second.'),
    fallbackConnectionsPerAddressPerMinute: count(
      1,
      6_000,
      'New TLS connections of one address to the fallback, per minute.',
    ),
    packetsPerSessionPerSecond: count(
      100,
      1_000_000,
      'Packets of one session, both directions together, per second.',
    ),
  },
  closed,
);

const peerAddresses = Type.Object(
  {
    denied: Type.Array(Type.String(CIDR), {
      ...live,
      maxItems: 256,
      description:
        'Ranges to which the relay never sends, besides loopback, link-local, unspecified, multicast and metadata addresses, which it always refuses.',
    }),
    own: Type.Array(Type.String(ADDRESS), {
      ...live,
      maxItems: 256,
      description: 'Addresses of this pool, to which the relay never sends either.',
    }),
  },
  closed,
);

const pool = Type.Object(
  {
    namespace: Type.String({
      maxLength: 63,
      description: 'Namespace of the RelayPool.',
    }),
    name: Type.String({
      maxLength: 253,
      description: 'Name of the RelayPool. A relay is called NAMESPACE/NAME/ORDINAL.',
    }),
    region: Type.String({ maxLength: 63, description: 'Region of the RelayPool.' }),
    identity: Type.String({
      maxLength: 512,
      description: 'URI SAN of this pool in its certificate (spiffe://...).',
    }),
  },
  closed,
);

/** The whole settings.json of a relay. */
export const RELAY_SETTINGS = Type.Object(
  {
    version: Type.Literal(RELAY_SETTINGS_VERSION, {
      description: 'Version of this schema. Another one stops the process at start.',
    }),
    pool,
    listeners,
    tls: Type.Object(
      {
        certificateFile: file('Path of the PEM chain, leaf first. Read again when it changes.'),
        keyFile: file('Path of the PEM private key of the leaf. Read again when it changes.'),
      },
      closed,
    ),
    gateways: Type.Object(
      { directoryFile: file('JSON directory of permitted gateways. Read again when it changes.') },
      closed,
    ),
    stun: Type.Object(
      {
        allowPlain: Type.Boolean({
          ...live,
          description:
            'Also answers STUN requests that are shorter than the answer. Off: requests must be padded, so that no answer is larger than its question.',
        }),
      },
      closed,
    ),
    capacity,
    rateLimits,
    drain: Type.Object(
      {
        seconds: Type.Integer({
          minimum: 10,
          maximum: 3_600,
          description:
            'How long a stopping relay goes on forwarding while its sessions move to another one. The pod gets 10 seconds more.',
        }),
      },
      closed,
    ),
    peerAddresses,
    logLevel: Type.Union(
      [Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')],
      {
        ...live,
        description:
          'The least severity that is logged. No level logs an address, a session or a lease.',
      },
    ),
  },
  closed,
);

/** What settings.json holds, as a type. */
export type RelaySettings = Static<typeof RELAY_SETTINGS>;
