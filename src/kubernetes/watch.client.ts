import type { WatchEvent, WatchOptions } from './client-types.js';
import { Deadline } from './deadline.client.js';
import type { ApiRequest, Exchange } from './exchange.client.js';
import { LineSplitter, decodeWatchLine } from './watch-lines.js';

/** A watch is answered at once, events or not; the server waits 3 seconds at most for a version that it lacks. */
const OPEN_MS = 10_000;

/**
 * The events of one watch, decoded in order. Returns when the server ends it. Bytes of a line that was cut
 * are dropped: its event was not delivered, so a watch from the last version brings it again.
 * @throws ApiError when it cannot be opened, breaks or falls silent; BadWatchLine.
 */
export async function* watchEvents(
  exchange: Exchange,
  request: ApiRequest,
  options: Pick<WatchOptions, 'signal' | 'livenessMs'>,
): AsyncGenerator<WatchEvent, void, void> {
  const deadline = new Deadline(Math.min(OPEN_MS, options.livenessMs), options.signal);
  try {
    const { body } = await exchange.open(request, deadline);
    deadline.restart(options.livenessMs);
    const lines = new LineSplitter();
    for await (const chunk of guarded(body, deadline, request)) {
      for (const line of lines.push(chunk)) yield decodeWatchLine(line);
    }
  } finally {
    deadline.end();
  }
}

/** The chunks of a body, each of which proves that the connection lives; its errors made ours. */
async function* guarded(
  body: AsyncIterable<Uint8Array>,
  deadline: Deadline,
  request: ApiRequest,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of body) {
      deadline.extend();
      yield chunk;
    }
  } catch (error) {
    throw deadline.errorOf(error, `watch ${request.resource}`);
  }
}
