/*
 * gateways.json in the folder of an endpoint: the gateways in the order in which they are tried.
 *
 *   [{"host": "chat.example.org", "port": 8443, "pins": ["sha256/..."], "address": "192.0.2.7", "viaIngress": false}]
 *
 * `address` and `viaIngress` may be left out.
 */
import { Ajv } from 'ajv';
import { Type, type Static } from 'typebox';
import { gatewayPlaces, placeName, type GatewayEntry } from '../../client/gateway/gateway-place.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { parseIpAddress } from '../../runtime/ip-address.js';

const MAX_GATEWAYS = 16;
const LISTED = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    pins: Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 8 }),
    address: Type.Optional(Type.String({ maxLength: 45 })),
    viaIngress: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
const LIST = Type.Array(LISTED, { maxItems: MAX_GATEWAYS });

/** A gateway in the list. */
export type ListedGateway = Static<typeof LISTED>;

const validate = new Ajv({ strict: false }).compile<ListedGateway[]>(LIST);

/** The gateways in `text`. @throws ActionableError ERR_SETTING with the field and the file; GatewayError for an address or a pin. */
export function readGatewayList(text: string, path: string): readonly ListedGateway[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unusable(path, messageOf(cause), cause);
  }
  if (!validate(value)) {
    const [error] = validate.errors ?? [];
    throw unusable(path, `${error?.instancePath ?? ''} ${error?.message ?? ''}`.trim());
  }
  for (const gateway of value) requireUsable(gateway, path);
  return value;
}

/** As the file holds it. */
export const gatewayListText = (gateways: readonly ListedGateway[]): string =>
  `${JSON.stringify(gateways, null, 2)}\n`;

/** As the client library takes it. */
export const gatewayEntry = ({
  host,
  port,
  pins,
  address,
  viaIngress,
}: ListedGateway): GatewayEntry => ({
  url: `wss://${placeName({ host, port })}`,
  pins,
  ...(address !== undefined && { address }),
  ...(viaIngress !== undefined && { viaIngress }),
});

/** A gateway as the command line names it. @throws GatewayError; ActionableError ERR_SETTING for an address that is none. */
export function listedGateway(
  url: string,
  pins: readonly string[],
  more: { readonly address?: string | undefined; readonly viaIngress?: boolean } = {},
): ListedGateway {
  const [place] = gatewayPlaces([{ url, pins }]);
  if (place === undefined) throw new RangeError('one gateway makes one place');
  const { address, viaIngress = false } = more;
  const listed = {
    ...{ host: place.host, port: place.port, pins: [...pins] },
    ...(address !== undefined && { address }),
    ...(viaIngress && { viaIngress }),
  };
  requireUsable(listed, 'the command line');
  return listed;
}

function requireUsable(gateway: ListedGateway, path: string): void {
  gatewayPlaces([gatewayEntry(gateway)]);
  const { address } = gateway;
  if (address !== undefined && parseIpAddress(address) === undefined)
    throw unusable(path, 'address is no IP address');
}

const unusable = (path: string, what: string, cause?: unknown) =>
  new ActionableError(
    'ERR_SETTING',
    `The list of gateways in ${path} cannot be used: ${what}.`,
    'Write it with "sallyport gateways add wss://HOST:PORT --pin sha256/BASE64".',
    { cause },
  );
