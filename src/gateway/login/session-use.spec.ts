import { describe, expect, it } from '@jest/globals';
import type { Caller, Connection } from '../caller.js';
import { SessionUse } from './session-use.js';

type Uses = readonly (readonly [session: string, at: number])[];

/** A store that writes when it is told to, or fails. */
class Written {
  readonly batches: Uses[] = [];
  #finish: (() => void)[] = [];
  isWaiting = false;
  isAway = false;

  touchSessions(uses: Uses): Promise<void> {
    if (this.isAway) return Promise.reject(new Error('away'));
    this.batches.push(uses);
    return this.isWaiting
      ? new Promise((resolve) => this.#finish.push(resolve))
      : Promise.resolve();
  }

  async finish(): Promise<void> {
    for (const finish of this.#finish.splice(0)) finish();
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const connection = (number: number): Connection => ({
  id: `connection-${number}`,
  // Only the session is looked at.
  caller: { session: `session-${number}` } as Caller,
  address: '192.0.2.1',
  notify: () => true,
  close: () => undefined,
});

function opened(count: number) {
  const store = new Written();
  const use = new SessionUse(store);
  const connections = Array.from({ length: count }, (_, number) => connection(number));
  for (const one of connections) use.opened(one, 0);
  return { store, use, connections };
}

describe('sessions that are used', () => {
  it('are written together, each with the time of its own message, at most every ten seconds', async () => {
    const { store, use, connections } = opened(3);
    use.heard(connections[0]!, 9_999);
    use.heard(connections[0]!, 10_000);
    use.heard(connections[0]!, 10_900);
    use.heard(connections[1]!, 10_500);
    use.tick();
    await settled();
    expect(store.batches).toEqual([
      [
        ['session-0', 10_000],
        ['session-1', 10_500],
      ],
    ]);
    use.heard(connections[0]!, 19_999);
    use.tick();
    expect(store.batches).toHaveLength(1);
    use.heard(connections[0]!, 20_000);
    use.tick();
    expect(store.batches[1]).toEqual([['session-0', 20_000]]);
  });

  it('are written also when their connection has ended meanwhile', () => {
    const { store, use, connections } = opened(1);
    use.heard(connections[0]!, 10_000);
    use.closed(connections[0]!);
    use.tick();
    expect(store.batches).toEqual([[['session-0', 10_000]]]);
  });

  it('wait while the database is slow, so that no second write begins beside the first', async () => {
    const { store, use, connections } = opened(2);
    store.isWaiting = true;
    use.heard(connections[0]!, 10_000);
    use.tick();
    use.heard(connections[1]!, 11_000);
    use.tick();
    expect(store.batches).toHaveLength(1);
    await store.finish();
    use.tick();
    expect(store.batches[1]).toEqual([['session-1', 11_000]]);
  });

  it('are known until they are written: who comes back meanwhile is not found idle', async () => {
    const { store, use, connections } = opened(1);
    store.isWaiting = true;
    use.heard(connections[0]!, 10_000);
    expect(use.usedAt('session-0')).toBe(10_000);
    use.tick();
    expect(use.usedAt('session-0')).toBe(10_000);
    await store.finish();
    expect(use.usedAt('session-0')).toBeUndefined();
  });

  it('are written in parts when they are many, all of them at the end', async () => {
    const { store, use, connections } = opened(4_500);
    for (const one of connections) use.heard(one, 10_000);
    use.tick();
    expect(store.batches.map(({ length }) => length)).toEqual([2_000]);
    await use.stop();
    expect(store.batches.map(({ length }) => length)).toEqual([2_000, 2_000, 500]);
    const written = new Set(store.batches.flat().map(([session]) => session));
    expect(written.size).toBe(4_500);
  });

  it('are written the next time when the database was away', async () => {
    const { store, use, connections } = opened(1);
    store.isAway = true;
    use.heard(connections[0]!, 10_000);
    use.tick();
    await settled();
    store.isAway = false;
    use.tick();
    expect(store.batches).toEqual([]);
    use.heard(connections[0]!, 20_000);
    use.tick();
    expect(store.batches).toEqual([[['session-0', 20_000]]]);
  });
});
