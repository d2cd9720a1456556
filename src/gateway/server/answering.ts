/*
 * How a request becomes an answer: its name and body are known, the caller may, and a room answers.
 */
import type { RequestName } from '../../messages/requests.js';
import {
  REQUEST_REFUSALS,
  type EndpointRequest,
  type ToEndpoint,
} from '../../messages/signaling.js';
import {
  isRefused,
  type Handler,
  type Handlers,
  type Refused,
  type RequestContext,
} from '../caller.js';
import type { AccessRoom } from '../rooms.js';
import { StorageUnavailable } from '../store.js';
import { isRequestBody, isRequestName } from './message-reader.js';

/** What answers are made from. */
export interface AnsweringParts {
  readonly handlers: Partial<Handlers>;
  readonly access: AccessRoom;
  /** A handler threw what it must not. */
  readonly failed: (name: RequestName, error: unknown) => void;
}

/** When to ask again while the database does not answer. */
const RETRY_AFTER_SECONDS = 5;

/** Answers one request: at once where its handler does, for a promise costs more than most answers. Never rejects. */
export function answerRequest(
  { id, name, body }: EndpointRequest,
  context: RequestContext,
  parts: AnsweringParts,
): ToEndpoint | Promise<ToEndpoint> {
  if (!isRequestName(name)) return refusal(id, { refused: 'unknown-request' });
  if (!isRequestBody(name, body)) return refusal(id, { refused: 'bad-request' });
  const decision = parts.access.decide(name, context);
  if (decision !== 'allowed') return refusal(id, decision);
  const result = handled(name, { body, context }, parts);
  if (result instanceof Promise) return answerLater(result, { id, name, context }, parts);
  return answerOf(result, { id, name, context }, parts);
}

interface Answered {
  readonly id: number;
  readonly name: RequestName;
  readonly context: RequestContext;
}

async function answerLater(
  result: Promise<object>,
  request: Answered,
  parts: AnsweringParts,
): Promise<ToEndpoint> {
  return answerOf(await result, request, parts);
}

function answerOf(
  result: object,
  { id, name, context }: Answered,
  { access }: AnsweringParts,
): ToEndpoint {
  const refused = isRefused(result) ? result : undefined;
  access.done(name, context, refused);
  return refused ? refusal(id, refused) : { type: 'answer', id, body: { ...result } };
}

/** The message of a refusal. */
export const refusal = (id: number, { refused, retryAfterSeconds }: Refused): ToEndpoint => ({
  type: 'answer',
  id,
  refused: {
    code: REQUEST_REFUSALS[refused],
    reason: refused,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  },
});

function handled(
  name: RequestName,
  { body, context }: { readonly body: unknown; readonly context: RequestContext },
  { handlers, failed }: AnsweringParts,
): object | Promise<object> {
  // The body was checked against the schema of this very name.
  const handler = handlers[name] as Handler<RequestName> | undefined;
  if (!handler) return { refused: 'unknown-request' } satisfies Refused;
  try {
    const result = handler(body as never, context);
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => unavailable(name, error, failed));
  } catch (error) {
    return unavailable(name, error, failed);
  }
}

function unavailable(name: RequestName, error: unknown, failed: AnsweringParts['failed']): Refused {
  if (!(error instanceof StorageUnavailable)) failed(name, error);
  return { refused: 'unavailable', retryAfterSeconds: RETRY_AFTER_SECONDS };
}
