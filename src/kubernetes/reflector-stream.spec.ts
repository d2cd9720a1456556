import { describe, expect, it } from '@jest/globals';
import { errorOfStatus } from './api-error.js';
import type { WatchEvent } from './client-types.js';
import { streamScope } from './reflector-stream.client.js';
import { Store } from './store.js';
import { wait } from './wait.client.js';

const store = new Store({ fieldManager: 'sallyport' });
const event = (
  type: 'ADDED' | 'MODIFIED' | 'DELETED',
  name: string,
  version: number,
): WatchEvent => ({
  type,
  object: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: String(version) },
  },
});
const bookmark = (version: number, initialEventsEnd: boolean): WatchEvent => ({
  type: 'BOOKMARK',
  resourceVersion: String(version),
  initialEventsEnd,
});

/** Streams what `open` gives; says how it ended, what the set was and what came after it. */
async function streamed(
  open: (signal: AbortSignal) => AsyncGenerator<WatchEvent, void, void>,
  initialMs = 5_000,
) {
  const sets: string[][] = [];
  const later: WatchEvent['type'][] = [];
  const outcome = await streamScope({
    open,
    signal: new AbortController().signal,
    initialMs,
    prepare: (object) => store.prepare(object),
    onSet: ({ entries, resourceVersion }) => {
      sets.push([
        ...entries.map(({ uid, resourceVersion: at }) => `${uid}@${at}`),
        resourceVersion,
      ]);
    },
    onEvent: ({ type }) => later.push(type),
  });
  return { outcome, sets, later };
}

describe('a stream of a whole set', () => {
  it('is given on once, with the changes that came among its initial events', async () => {
    const result = await streamed(async function* () {
      yield event('ADDED', 'a', 1);
      yield event('ADDED', 'b', 2);
      yield bookmark(3, false);
      yield event('DELETED', 'a', 4);
      yield event('MODIFIED', 'b', 5);
      await Promise.resolve();
      yield bookmark(6, true);
      yield event('ADDED', 'c', 7);
      yield bookmark(8, false);
    });
    expect(result).toEqual({
      outcome: 'Ended',
      sets: [['uid-b@5', '6']],
      later: ['ADDED', 'BOOKMARK'],
    });
  });

  it('is nothing when it ends before its last event', async () => {
    const result = await streamed(async function* () {
      await Promise.resolve();
      yield event('ADDED', 'a', 1);
    });
    expect(result).toEqual({ outcome: 'Incomplete', sets: [], later: [] });
  });

  it('is given up when it takes too long, however quiet it is', async () => {
    const result = await streamed(async function* (signal) {
      yield event('ADDED', 'a', 1);
      await wait(60_000, signal);
      throw new Error('aborted');
    }, 50);
    expect(result).toEqual({ outcome: 'Incomplete', sets: [], later: [] });
  });

  const failing = (code: number) =>
    async function* (): AsyncGenerator<WatchEvent, void, void> {
      yield event('ADDED', 'a', 1);
      await Promise.resolve();
      throw errorOfStatus(code, {});
    };

  it('may be refused by a server that does not know it; any other error is passed on', async () => {
    expect((await streamed(failing(422))).outcome).toBe('Refused');
    expect((await streamed(failing(400))).outcome).toBe('Refused');
    await expect(streamed(failing(410))).rejects.toMatchObject({ kind: 'Gone' });
    await expect(streamed(failing(500))).rejects.toMatchObject({ kind: 'ServerError' });
  });

  it('passes on an error that comes after the set, a refusal too', async () => {
    const sets = streamed(async function* () {
      yield bookmark(1, true);
      await Promise.resolve();
      throw errorOfStatus(422, {});
    });
    await expect(sets).rejects.toMatchObject({ kind: 'Invalid' });
  });
});
