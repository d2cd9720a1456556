/*
 * The settings of the gateway: one schema, read by the gateway at start and on change, written by the operator.
 * They arrive as a mounted settings.json. Every value says what it means, its unit and bounds.
 * `live: true` marks a value that a running gateway takes up when the file changes. Every other value needs a
 * new process: it feeds a hash in the pod template, so that these, and no others, roll pods. Unknown fields are
 * refused.
 */
import { Type, type Static } from 'typebox';
import { accessSettings } from './settings-access.js';
import { bus, file, retention, storage } from './settings-stores.js';

/** The version of the schema below; an image reads this version and the one before. */
export const GATEWAY_SETTINGS_VERSION = 1;

/** Where the operator mounts each file, and where the gateway looks for it. */
export const GATEWAY_PATHS = {
  settings: '/etc/sallyport/settings/settings.json',
  publicTls: '/etc/sallyport/tls',
  internalTls: '/etc/sallyport/internal-tls',
  trust: '/etc/sallyport/trust',
  leaseKeys: '/etc/sallyport/lease-keys',
  relays: '/etc/sallyport/relays',
  policy: '/etc/sallyport/policy',
  storage: '/etc/sallyport/storage',
  bus: '/etc/sallyport/bus',
  data: '/var/lib/sallyport',
} as const;

/** Clients, relays, health and metrics (wire formats, B). */
export const GATEWAY_PORTS = { public: 8443, internal: 9443, metrics: 9090 } as const;

const live = { live: true } as const;
const closed = { additionalProperties: false } as const;

/** `0` in a listener's `port` is never right: clients, probes and network policies name the port. */
const PORT = { minimum: 1024, maximum: 65_535 } as const;

const addresses = Type.Array(Type.String({ maxLength: 45 }), {
  maxItems: 8,
  default: [],
  description: 'IP addresses to listen on; empty means all addresses of the pod, IPv6 and IPv4.',
});

const listener = (port: number, purpose: string) =>
  Type.Object(
    {
      port: Type.Integer({ ...PORT, default: port, description: `TCP port of ${purpose}.` }),
      addresses,
    },
    closed,
  );

const certificate = Type.Object(
  {
    certificateFile: file(
      'Path of the PEM chain, leaf first. Its content is read again when it changes.',
    ),
    keyFile: file(
      'Path of the PEM private key of the leaf. Its content is read again when it changes.',
    ),
  },
  closed,
);

/** The whole settings.json of a gateway. */
export const GATEWAY_SETTINGS = Type.Object(
  {
    version: Type.Literal(GATEWAY_SETTINGS_VERSION, {
      description: 'Version of this schema. Another one stops the process at start.',
    }),
    installId: Type.String({
      pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
      description:
        'Id of the installation; the trust domain of peer certificates is derived from it.',
    }),
    gateway: Type.Object(
      {
        namespace: Type.String({ maxLength: 63, description: 'Namespace of the resource.' }),
        name: Type.String({ maxLength: 253, description: 'Name of the resource.' }),
        uid: Type.String({ maxLength: 64, description: 'UID that policy bundles must name.' }),
        identity: Type.String({
          maxLength: 512,
          description: 'URI SAN of this gateway in its internal certificate (spiffe://...).',
        }),
      },
      closed,
    ),
    listeners: Type.Object(
      {
        public: listener(GATEWAY_PORTS.public, 'clients, TLS 1.3 only'),
        internal: listener(GATEWAY_PORTS.internal, 'relays, TLS 1.3 with client certificates'),
        health: listener(GATEWAY_PORTS.metrics, '/livez, /readyz and /metrics, plain HTTP'),
      },
      closed,
    ),
    tls: Type.Object({ public: certificate, internal: certificate }, closed),
    trustFile: file('PEM certificates of the own namespace CA: current and next.'),
    keys: Type.Object(
      {
        directory: file('Folder of the lease keys. Its content is read again when it changes.'),
        indexFile: file('JSON list of key id, not-before, not-after and state of each lease key.'),
      },
      closed,
    ),
    relays: Type.Object(
      {
        directoryFile: file('JSON directory of permitted relays. Read again when it changes.'),
        trustDirectory: file(
          'Folder with NAMESPACE.crt: the CA certificates of each pool namespace.',
        ),
      },
      closed,
    ),
    policy: Type.Object(
      {
        bundleFile: file('Signed policy bundle. Read again when it changes; absent means no role.'),
        publicKeys: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }), {
          ...live,
          maxItems: 2,
          default: [],
          description:
            'Ed25519 public keys (base64url) that may sign the bundle: current and next.',
        }),
      },
      closed,
    ),
    ...accessSettings,
    storage,
    bus,
    retention,
    cryptoProfile: Type.Literal('Standard', {
      description:
        'The set of algorithms; its name is part of the Noise prologue, leases and registration.',
    }),
    logLevel: Type.Union(
      [Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')],
      { ...live, default: 'info', description: 'The least severity that is logged.' },
    ),
  },
  closed,
);

/** What settings.json holds, as a type. */
export type GatewaySettings = Static<typeof GATEWAY_SETTINGS>;

/** The directory of relays, a file of its own because it changes with every relay that comes or goes. */
export const RELAY_DIRECTORY = Type.Object(
  {
    version: Type.Literal(1, { description: 'Version of this schema.' }),
    pools: Type.Array(
      Type.Object(
        {
          namespace: Type.String({ maxLength: 63, description: 'Namespace of the RelayPool.' }),
          name: Type.String({ maxLength: 253, description: 'Name of the RelayPool.' }),
          region: Type.String({ maxLength: 63, description: 'Region of its relays.' }),
          identity: Type.String({
            maxLength: 512,
            description:
              'URI SAN that its relays present; accepted from the CA of that namespace only.',
          }),
        },
        closed,
      ),
      { maxItems: 1024, description: 'Pools whose relays may register.' },
    ),
    relays: Type.Array(
      Type.Object(
        {
          id: Type.String({
            maxLength: 384,
            description: 'NAMESPACE/POOL/ORDINAL, as leases name it.',
          }),
          region: Type.String({ maxLength: 63, description: 'Region of the relay.' }),
          address: Type.String({ maxLength: 253, description: 'Where clients reach it.' }),
          port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'UDP port.' }),
          fallback: Type.Optional(
            Type.Object(
              {
                port: Type.Integer({
                  minimum: 1,
                  maximum: 65_535,
                  description: 'TCP port of the TLS fallback.',
                }),
                pins: Type.Array(Type.String({ maxLength: 64 }), {
                  maxItems: 4,
                  description: 'sha256/BASE64 of the keys that may answer there.',
                }),
              },
              closed,
            ),
          ),
        },
        closed,
      ),
      { maxItems: 8192, description: 'Relays that have an address.' },
    ),
  },
  closed,
);

/** What relays.json holds, as a type. */
export type RelayDirectory = Static<typeof RELAY_DIRECTORY>;
