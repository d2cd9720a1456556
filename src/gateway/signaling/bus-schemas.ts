/*
 * What replicas may say to each other, closed and bounded: a replica of another release, or one that somebody has taken
 * over, can say anything, so each message and each answer is checked against these schemas when it arrives.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import { Type, type Static, type TSchema } from 'typebox';
import { bytesOf, closed, deviceId, fingerprint, handle } from '../../messages/fields.js';
import { envelope, MAX_TOKENS_PER_MESSAGE, reachableDevice } from '../../messages/peer-requests.js';
import type { BusMessage } from '../bus.js';
import { OWN_SCHEMAS } from '../../runtime/own-schemas.js';

/** Names in one message of a list; `splitMessage` makes several messages of a longer one. */
export const MAX_NAMES = 1_024;

const token = () => bytesOf(16);
/** Names a replica, a connection: base64url of some random bytes. */
export const busName = () => Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', maxLength: 64 });
const count = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const message = <const Name extends string, Fields extends Record<string, TSchema>>(
  type: Name,
  fields: Fields,
) => Type.Object({ type: Type.Literal(type), ...fields }, closed);

const relay = Type.Object(
  {
    rid: Type.String({ maxLength: 323 }),
    boot: busName(),
    kids: Type.Array(bytesOf(16), { maxItems: 64 }),
    sessions: count(),
    draining: Type.Boolean(),
    clockAheadMs: Type.Number({ minimum: -8.64e15, maximum: 8.64e15 }),
    connected: Type.Boolean(),
  },
  closed,
);

/** Schemas of BusMessage by type. */
export const BUS_MESSAGES = {
  deliver: message('deliver', { token: token(), envelope: envelope() }),
  introduce: message('introduce', {
    account: fingerprint(),
    device: deviceId(),
    envelope: envelope(),
  }),
  prekey: message('prekey', { token: token() }),
  devices: message('devices', { account: fingerprint() }),
  tokens: message('tokens', {
    tokens: Type.Array(token(), { minItems: 1, maxItems: MAX_TOKENS_PER_MESSAGE }),
  }),
  connected: message('connected', {
    account: fingerprint(),
    device: deviceId(),
    connection: busName(),
  }),
  'sessions-ended': message('sessions-ended', {
    sessions: Type.Array(handle(), { maxItems: MAX_NAMES }),
  }),
  'account-changed': message('account-changed', { account: fingerprint() }),
  'leases-revoked': message('leases-revoked', {
    jti: Type.Array(bytesOf(16), { maxItems: MAX_NAMES }),
    kids: Type.Array(bytesOf(16), { maxItems: MAX_NAMES }),
  }),
  relay: message('relay', { relay }),
  login: message('login', { account: fingerprint() }),
  connections: message('connections', { account: fingerprint(), device: deviceId() }),
  here: message('here', {}),
} as const satisfies { readonly [Name in BusMessage['type']]: TSchema };

/** Whether an envelope was handed to a connection. */
const delivered = Type.Object({ delivered: Type.Boolean() }, closed);

/** Schemas of the answers to messages that ask. */
export const BUS_ANSWERS = {
  deliver: delivered,
  introduce: delivered,
  prekey: reachableDevice(),
  devices: Type.Object(
    { devices: Type.Array(reachableDevice(), { minItems: 1, maxItems: 8 }) },
    closed,
  ),
  /** Those of the tokens that a connection of the replica holds. */
  tokens: Type.Object(
    { taken: Type.Array(token(), { minItems: 1, maxItems: MAX_TOKENS_PER_MESSAGE }) },
    closed,
  ),
  connections: Type.Object({ open: count() }, closed),
} as const;

/** Type of a message that asks. */
export type AskType = keyof typeof BUS_ANSWERS;
/** The answer to a message of type `Name`. */
export type AnswerTo<Name extends AskType> = Static<(typeof BUS_ANSWERS)[Name]>;

const ajv = new Ajv(OWN_SCHEMAS);
const compiled = (schemas: Readonly<Record<string, TSchema>>): Map<string, ValidateFunction> =>
  new Map(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]));
const messages = compiled(BUS_MESSAGES);
const answers = compiled(BUS_ANSWERS);

/** Whether `value` is a BusMessage; its type decides which schema it must fit. */
export const isBusMessage = (value: unknown): value is BusMessage =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  typeof value.type === 'string' &&
  messages.get(value.type)?.(value) === true;

/** Whether a message of this type asks. */
export const isAsk = (type: BusMessage['type']): type is AskType => type in BUS_ANSWERS;

/** Whether `value` answers a message of type `name`. */
export const isAnswerTo = <Name extends AskType>(
  name: Name,
  value: unknown,
): value is AnswerTo<Name> => answers.get(name)?.(value) === true;

/** `message` as one or more messages whose lists fit the schemas. */
export function splitMessage(message: BusMessage): readonly BusMessage[] {
  if (message.type === 'sessions-ended')
    return chunks(message.sessions).map((sessions) => ({ type: message.type, sessions }));
  if (message.type === 'leases-revoked')
    return [
      ...chunks(message.jti).map((jti) => ({ type: message.type, jti, kids: [] })),
      ...chunks(message.kids).map((kids) => ({ type: message.type, jti: [], kids })),
    ];
  return [message];
}

function chunks(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / MAX_NAMES);
  return Array.from({ length: count }, (_, at) =>
    names.slice(at * MAX_NAMES, (at + 1) * MAX_NAMES),
  );
}
