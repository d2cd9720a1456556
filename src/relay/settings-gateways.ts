/*
 * The directory of gateways (`gateways.json`): whose leases a relay takes, and how it recognises them.
 * Written by the operator from the gateways that this pool permits and that use it; taken over live.
 * Lease keys come from here only, never over the wire. A gateway that is not listed is nobody.
 */
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** RFC 3339 in UTC, as the operator writes every time. */
const instant = (description: string) =>
  Type.String({
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?Z$',
    maxLength: 24,
    description,
  });

const leaseKey = Type.Object(
  {
    kid: Type.String({
      pattern: '^[A-Za-z0-9_-]{22}$',
      description: 'Key id: base64url of 16 bytes of a hash of the key (wire formats, B).',
    }),
    publicKey: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'Ed25519 public key, base64url without padding.',
    }),
    notBefore: instant('A lease signed before this time is refused.'),
    notAfter: instant('A lease signed by this key is refused from this time on.'),
  },
  closed,
);

const gateway = Type.Object(
  {
    namespace: Type.String({ maxLength: 63, description: 'Namespace of the SignalingGateway.' }),
    name: Type.String({ maxLength: 253, description: 'Name of the SignalingGateway.' }),
    identity: Type.String({
      maxLength: 512,
      description: 'URI SAN that its internal certificate must carry (spiffe://...).',
    }),
    host: Type.String({
      maxLength: 253,
      description: 'DNS name of its internal listener; its certificate must show it.',
    }),
    address: Type.Optional(
      Type.String({
        maxLength: 45,
        description: 'IP address to dial. Unset means that DNS is asked for host.',
      }),
    ),
    port: Type.Integer({
      minimum: 1024,
      maximum: 65_535,
      description: 'TCP port of its internal listener.',
    }),
    leaseKeys: Type.Array(leaseKey, {
      maxItems: 16,
      description: 'Public keys whose leases are taken: retired, current and next.',
    }),
    caCertificates: Type.Array(Type.String({ maxLength: 8_192 }), {
      maxItems: 4,
      description: 'PEM certificates of the CA of its namespace: current and next.',
    }),
  },
  closed,
);

/** Schema of `gateways.json`. */
export const RELAY_GATEWAYS = Type.Object(
  {
    version: Type.Literal(1, { description: 'Version of this schema.' }),
    gateways: Type.Array(gateway, { maxItems: 256 }),
  },
  closed,
);

/** Content of `gateways.json`. */
export type RelayGateways = Static<typeof RELAY_GATEWAYS>;
/** One permitted gateway. */
export type RelayGateway = Static<typeof gateway>;
