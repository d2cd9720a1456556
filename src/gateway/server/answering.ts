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

/** Answers one request. Never rejects. */
export async function answerRequest(
  { id, name, body }: EndpointRequest,
  context: RequestContext,
  parts: AnsweringParts,
): Promise<ToEndpoint> {
  if (!isRequestName(name)) return refusal(id, { refused: 'unknown-request' });
  if (!isRequestBody(name, body)) return refusal(id, { refused: 'bad-request' });
  const decision = parts.access.decide(name, context);
  if (decision !== 'allowed') return refusal(id, decision);
  const result = await handled(name, { body, context }, parts);
  const refused = isRefused(result) ? result : undefined;
  parts.access.done(name, context, refused);
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

async function handled(
  name: RequestName,
  { body, context }: { readonly body: unknown; readonly context: RequestContext },
  { handlers, failed }: AnsweringParts,
): Promise<object | Refused> {
  // The body was checked against the schema of this very name.
  const handler = handlers[name] as Handler<RequestName> | undefined;
  if (!handler) return { refused: 'unknown-request' };
  try {
    return await handler(body as never, context);
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) failed(name, error);
    return { refused: 'unavailable', retryAfterSeconds: RETRY_AFTER_SECONDS };
  }
}
