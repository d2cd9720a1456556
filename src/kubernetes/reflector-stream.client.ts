import { isApiError } from './api-error.js';
import type { WatchEvent } from './client-types.js';
import { keyId, refOf, type KubernetesObject } from './object.js';
import type { Snapshot } from './reflector-list.client.js';
import type { Prepared } from './store.js';

/** How a scope is streamed. */
export interface StreamRequest {
  /** Opens a watch that begins with the whole set. */
  readonly open: (signal: AbortSignal) => AsyncGenerator<WatchEvent, void, void>;
  readonly signal: AbortSignal;
  /** The whole set must have come within this time. */
  readonly initialMs: number;
  readonly prepare: (object: KubernetesObject) => Prepared;
  /** The whole set, once. */
  readonly onSet: (snapshot: Snapshot) => void;
  /** What happens afterwards. */
  readonly onEvent: (event: WatchEvent) => void;
}

/**
 * The whole set as a stream (KEP-3157, WatchList), given on when its last event has come, and then the watch
 * that the same stream goes on as. `Refused`: the server does not do this. `Incomplete`: the set did not come
 * in time or in whole.
 */
export async function streamScope(
  request: StreamRequest,
): Promise<'Ended' | 'Refused' | 'Incomplete'> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, request.initialMs);
  const arrived = new Map<string, Prepared>();
  let complete = false;
  try {
    for await (const event of request.open(AbortSignal.any([request.signal, late.signal]))) {
      if (complete) request.onEvent(event);
      else if (event.type === 'BOOKMARK' && event.initialEventsEnd) {
        complete = true;
        clearTimeout(timer);
        request.onSet({
          entries: [...arrived.values()],
          resourceVersion: event.resourceVersion,
        });
        arrived.clear();
      } else collect(event, arrived, request.prepare);
    }
  } catch (error) {
    if (complete) throw error;
    if (isApiError(error, 'Invalid', 'BadRequest')) return 'Refused';
    if (!late.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return complete ? 'Ended' : 'Incomplete';
}

/** Changes may come among the initial events. */
function collect(
  event: WatchEvent,
  arrived: Map<string, Prepared>,
  prepare: StreamRequest['prepare'],
): void {
  if (event.type === 'BOOKMARK') return;
  const id = keyId(refOf(event.object));
  if (event.type === 'DELETED') arrived.delete(id);
  else arrived.set(id, prepare(event.object));
}
