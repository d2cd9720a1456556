/*
 * Reads what a gateway sends. The gateway is trusted with little: whatever is not in the schemas ends the connection.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { NOTICES, type NoticeBody, type NoticeName } from '../../messages/notices.js';
import { REQUESTS, type AnswerBody, type RequestName } from '../../messages/requests.js';
import {
  FROM_GATEWAY_TO_ENDPOINT,
  MAX_FROM_GATEWAY_BYTES,
  type ToEndpoint,
} from '../../messages/signaling.js';

const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false });
const validators = new Map<TSchema, ValidateFunction>();

/** Why a message of a gateway is none. A closed list: each is a metric label. */
export type SignalingRefusal = 'message-too-long' | 'not-json' | 'not-a-message';

/** The message, or why it is none. */
export function readFromGateway(text: string): ToEndpoint | SignalingRefusal {
  if (text.length > MAX_FROM_GATEWAY_BYTES) return 'message-too-long';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not-json';
  }
  return holds<ToEndpoint>(FROM_GATEWAY_TO_ENDPOINT, value) ? value : 'not-a-message';
}

/** The body of the answer to a request `name`, or undefined if it is none. */
export function readAnswer<Name extends RequestName>(
  name: Name,
  body: unknown,
): AnswerBody<Name> | undefined {
  return holds<AnswerBody<Name>>(REQUESTS[name].answer, body) ? body : undefined;
}

/** A notice by its name. */
export type Notice = {
  readonly [Name in NoticeName]: { readonly name: Name; readonly body: NoticeBody<Name> };
}[NoticeName];

/** The notice, or undefined if its name or body is none. */
export function readNotice(name: string, body: unknown): Notice | undefined {
  if (!Object.hasOwn(NOTICES, name)) return undefined;
  const schema = NOTICES[name as NoticeName];
  // The schema of this very name was checked: the pair is one of the union.
  return holds(schema, body) ? ({ name, body } as Notice) : undefined;
}

function holds<Body>(schema: TSchema, value: unknown): value is Body {
  let validate = validators.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    validators.set(schema, validate);
  }
  return validate(value);
}
