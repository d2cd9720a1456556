import { errorOfStatus } from './api-error.js';
import type { WatchEvent } from './client-types.js';
import type { KubernetesObject } from './object.js';

/** A line of a watch that is not an event: something was lost, only a fresh list can say what. */
export class BadWatchLine extends Error {
  override readonly name = 'BadWatchLine';
}

/** etcd takes objects up to 1.5 MB, JSON may double that; a longer line is a fault. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The annotation of the bookmark that ends the initial events (KEP-3157, WatchList). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Cuts a stream of bytes into lines; bytes after the last newline wait for the next chunk. */
export class LineSplitter {
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  readonly #decoder = new TextDecoder();

  /** The lines that `chunk` completes, without newline. @throws BadWatchLine when a line is too long. */
  push(chunk: Uint8Array): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      if (line.trim() !== '') lines.push(line);
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  #complete(last: Uint8Array): string {
    if (this.#restBytes === 0) return this.#decoder.decode(last);
    const whole = Buffer.concat([...this.#rest, last]);
    this.#rest = [];
    this.#restBytes = 0;
    return this.#decoder.decode(whole);
  }

  #keep(rest: Uint8Array): void {
    if (rest.length === 0) return;
    this.#rest.push(rest);
    this.#restBytes += rest.length;
    if (this.#restBytes > MAX_LINE_BYTES) {
      throw new BadWatchLine(`a line of more than ${MAX_LINE_BYTES} bytes`);
    }
  }
}

/**
 * The event of one line.
 * @throws ApiError for an ERROR event (a 410 in the stream is kind `Gone`), BadWatchLine for anything else
 * that is not an event.
 */
export function decodeWatchLine(line: string): WatchEvent {
  const { type, object } = parsed(line);
  if (!isRecord(object)) throw new BadWatchLine('a line without an object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: wholeObject(object) };
    case 'BOOKMARK':
      return bookmark(object);
    case 'ERROR':
      throw errorOfStatus(typeof object['code'] === 'number' ? object['code'] : 500, object);
    default:
      throw new BadWatchLine('a line of unknown type');
  }
}

function parsed(line: string): { type?: unknown; object?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch {
    // Reported below; the parser's message would repeat bytes of the object, which may be a Secret.
  }
  throw new BadWatchLine('a line that is not a JSON object');
}

function wholeObject(object: Record<string, unknown>): KubernetesObject {
  const metadata = object['metadata'];
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string') {
    throw new BadWatchLine('an object without metadata.name');
  }
  if (typeof metadata['uid'] !== 'string' || typeof metadata['resourceVersion'] !== 'string') {
    throw new BadWatchLine('an object without UID or resourceVersion');
  }
  return object as KubernetesObject;
}

function bookmark(object: Record<string, unknown>): WatchEvent {
  const metadata = object['metadata'];
  if (!isRecord(metadata) || typeof metadata['resourceVersion'] !== 'string') {
    throw new BadWatchLine('a bookmark without resourceVersion');
  }
  const annotations = metadata['annotations'];
  return {
    type: 'BOOKMARK',
    resourceVersion: metadata['resourceVersion'],
    initialEventsEnd: isRecord(annotations) && annotations[INITIAL_EVENTS_END] === 'true',
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
