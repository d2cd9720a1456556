/*
 * Messages of endpoints and relays against their closed schemas, each compiled once.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { FROM_RELAY, type FromRelay } from '../../messages/relay-registry.js';
import { REQUESTS, type RequestBody, type RequestName } from '../../messages/requests.js';
import { FROM_ENDPOINT, type FromEndpoint } from '../../messages/signaling.js';
import { readMessageText, TEXT_REFUSALS } from './message-text.js';
import { OWN_SCHEMAS } from '../../runtime/own-schemas.js';

/** Why a message ends its connection: a closed list and a metric label. */
export const MESSAGE_REFUSALS = [...TEXT_REFUSALS, 'binary', 'schema', 'out-of-turn'] as const;
/** One of MESSAGE_REFUSALS. */
export type MessageRefusal = (typeof MESSAGE_REFUSALS)[number];

/** A message, or why it is none. */
export type ReadMessage<Message> =
  { readonly message: Message } | { readonly refused: MessageRefusal };

// The formats of JSON Schema are not used, and a pattern means what it means in JavaScript.
const ajv = new Ajv(OWN_SCHEMAS);
const isFromEndpoint = ajv.compile(FROM_ENDPOINT);
const isFromRelay = ajv.compile(FROM_RELAY);
const bodies = new Map<RequestName, ValidateFunction>();

/** Compiled when the first request of that name comes: all of them would take a third of the time of a start. */
function bodyValidator(name: RequestName): ValidateFunction {
  const known = bodies.get(name);
  if (known !== undefined) return known;
  const schema: TSchema = REQUESTS[name].request;
  const compiled = ajv.compile(schema);
  bodies.set(name, compiled);
  return compiled;
}

/** Reads what an endpoint sent. Never throws. */
export const readFromEndpoint = (text: string): ReadMessage<FromEndpoint> =>
  read<FromEndpoint>(text, isFromEndpoint);

/** Reads what a relay sent. Never throws. */
export const readFromRelay = (text: string): ReadMessage<FromRelay> =>
  read<FromRelay>(text, isFromRelay);

/** Whether there is a request of that name. */
export const isRequestName = (name: string): name is RequestName => Object.hasOwn(REQUESTS, name);

/** Whether `body` is one of the request `name`. */
export function isRequestBody<Name extends RequestName>(
  name: Name,
  body: unknown,
): body is RequestBody<Name> {
  return bodyValidator(name)(body);
}

function read<Message>(text: string, isMessage: ValidateFunction): ReadMessage<Message> {
  const parsed = readMessageText(text);
  if ('refused' in parsed) return parsed;
  if (!isMessage(parsed.value)) return { refused: 'schema' };
  // The schema is that of the type.
  return { message: parsed.value as Message };
}
