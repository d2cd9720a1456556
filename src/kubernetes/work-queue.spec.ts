import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WorkQueue, type WorkQueueOptions } from './work-queue.js';

/** A queue of strings, and the clock that it looks at. */
function aQueue(options: Partial<WorkQueueOptions<string>> = {}) {
  const clock = { ms: 1_000 };
  const woken = { times: 0 };
  const queue = new WorkQueue<string>({
    idOf: (key) => key,
    nowMs: () => clock.ms,
    onWork: () => {
      woken.times += 1;
    },
    ...options,
  });
  return { queue, clock, woken };
}

const takeAll = (queue: WorkQueue<string>): string[] => {
  const taken: string[] = [];
  for (let key = queue.take(); key !== undefined; key = queue.take()) {
    taken.push(key);
    queue.done(key);
  }
  return taken;
};

interface Run extends ReturnType<typeof aQueue> {
  readonly working: string[];
  /** Added, and not taken since. */
  readonly owed: Set<string>;
}

const ACTIONS = {
  tick: ({ clock }: Run) => (clock.ms += 7),
  add: ({ queue, owed }: Run, key: string) => {
    queue.add(key, key === 'a' ? 'Resync' : 'Edit');
    owed.add(key);
  },
  later: ({ queue, owed }: Run, key: string) => {
    queue.addAfter(key, 10);
    owed.add(key);
  },
  fail: ({ queue, owed }: Run, key: string) => {
    queue.addRateLimited(key);
    owed.add(key);
  },
  take: ({ queue, working, owed }: Run) => {
    const taken = queue.take();
    if (taken === undefined) return;
    expect(working).not.toContain(taken);
    working.push(taken);
    owed.delete(taken);
  },
  done: ({ queue, working }: Run) => {
    const key = working.shift();
    if (key !== undefined) queue.done(key);
  },
};

describe('a work queue', () => {
  it('gives each key once, in order, however often it was added', () => {
    const { queue } = aQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(takeAll(queue)).toEqual(['a', 'b', 'c']);
    expect(queue.idle()).toBe(true);
  });

  it('never gives a key that is being worked on, and gives it once more if it was added meanwhile', () => {
    const { queue } = aQueue();
    queue.add('a');
    expect(queue.take()).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.take()).toBeUndefined();
    queue.done('a');
    expect(takeAll(queue)).toEqual(['a']);
  });

  it('keeps keys serial and loses none, whatever happens', () => {
    const action = fc.record({
      what: fc.constantFrom<keyof typeof ACTIONS>('add', 'take', 'done', 'later', 'fail', 'tick'),
      key: fc.constantFrom('a', 'b', 'c'),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const run = { ...aQueue(), working: [], owed: new Set<string>() };
        for (const { what, key } of actions) ACTIONS[what](run, key);
        for (const key of run.working) run.queue.done(key);
        run.clock.ms += 10_000_000;
        const rest = takeAll(run.queue);
        for (const key of run.owed) expect(rest).toContain(key);
        expect(new Set(rest).size).toBe(rest.length);
        expect(run.queue.idle()).toBe(true);
      }),
    );
  });

  it('gives edits before resyncs, and an edit overtakes the resync of its own key', () => {
    const { queue } = aQueue();
    queue.add('r1', 'Resync');
    queue.add('r2', 'Resync');
    queue.add('r3', 'Resync');
    queue.add('e');
    queue.add('r2');
    expect(queue.metrics().depth).toBe(4);
    expect(takeAll(queue)).toEqual(['e', 'r2', 'r1', 'r3']);
    queue.add('x');
    queue.add('x', 'Resync');
    expect(takeAll(queue)).toEqual(['x']);
  });

  it('keeps the rank of an edit that came while its key was worked on', () => {
    const { queue } = aQueue();
    queue.add('a');
    queue.take();
    queue.add('a', 'Resync');
    queue.add('a');
    queue.add('b', 'Resync');
    queue.done('a');
    expect(takeAll(queue)).toEqual(['a', 'b']);
  });

  it('does not let edits starve a resync', () => {
    const { queue } = aQueue();
    queue.add('resync', 'Resync');
    for (let i = 0; i < 200; i += 1) queue.add(`e${i}`);
    expect(takeAll(queue).indexOf('resync')).toBe(64);
  });

  it('gives a delayed key when it is due, at the earliest of its times, and wakes the runner', () => {
    const { queue, clock, woken } = aQueue();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 80);
    queue.addAfter('b', 60);
    expect(woken.times).toBe(3);
    expect(queue.take()).toBeUndefined();
    expect(queue.msUntilDue()).toBe(50);
    clock.ms += 55;
    expect(takeAll(queue)).toEqual(['a']);
    clock.ms += 500;
    expect(queue.msUntilDue()).toBe(0);
    expect(takeAll(queue)).toEqual(['b']);
    expect(queue.msUntilDue()).toBeUndefined();
    queue.addAfter('c', 0);
    expect(takeAll(queue)).toEqual(['c']);
  });

  it('retries a key after 5 ms, doubling up to 1000 s, until it is forgotten', () => {
    const { queue, clock } = aQueue();
    const delays = Array.from({ length: 20 }, () => {
      const delay = queue.addRateLimited('a');
      clock.ms += delay;
      expect(takeAll(queue)).toEqual(['a']);
      return delay;
    });
    expect(delays.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(delays.at(-1)).toBe(1_000_000);
    expect(queue.failures('a')).toBe(20);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(5);
  });

  it('limits the retries of all keys together', () => {
    const { queue } = aQueue({ retryRate: { perSecond: 10, burst: 3 } });
    const delays = ['a', 'b', 'c', 'd', 'e'].map((key) => queue.addRateLimited(key));
    expect(delays).toEqual([5, 5, 5, 100, 200]);
  });

  it('gives everything that waits after a failure at once when what made it fail is over', () => {
    const { queue } = aQueue({ retryRate: { perSecond: 1, burst: 1 } });
    for (let i = 0; i < 20; i += 1) queue.addRateLimited(`k${i % 5}`);
    queue.addAfter('resync', 60_000);
    expect(queue.take()).toBeUndefined();
    queue.hurry();
    expect(takeAll(queue).sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
    expect(queue.addRateLimited('k0')).toBe(5);
    expect(queue.metrics().delayed).toBe(2);
  });

  it('tells its depth, its age and its longest run', () => {
    const taken: number[] = [];
    const done: number[] = [];
    const { queue, clock } = aQueue({
      onTaken: (ms) => taken.push(ms),
      onDone: (ms) => done.push(ms),
    });
    queue.add('a');
    clock.ms += 30;
    queue.add('b', 'Resync');
    queue.addAfter('c', 1_000);
    queue.addRateLimited('d');
    queue.take();
    clock.ms += 3;
    expect(queue.metrics()).toEqual({
      depth: 1,
      delayed: 2,
      processing: 1,
      oldestAgeMs: 3,
      longestRunningMs: 3,
      addsTotal: 2,
      retriesTotal: 1,
    });
    queue.done('a');
    expect([taken, done]).toEqual([[30], [3]]);
    expect(queue.metrics().longestRunningMs).toBe(0);
  });

  it('hands out what waits when it is drained, and nothing more', () => {
    const { queue, clock } = aQueue();
    queue.add('a');
    queue.take();
    queue.add('a');
    queue.add('b');
    queue.addAfter('later', 10);
    queue.drain();
    queue.add('c');
    queue.done('a');
    clock.ms += 1_000;
    expect(takeAll(queue)).toEqual(['b', 'a']);
  });

  it('forgets what waits when it is shut down', () => {
    const { queue, clock } = aQueue();
    queue.add('a');
    queue.take();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    queue.shutDown();
    queue.done('a');
    clock.ms += 1_000;
    expect(queue.take()).toBeUndefined();
    expect(queue.idle()).toBe(true);
  });

  it('takes ten times as many keys in about ten times the time', () => {
    const workFor = (keys: number): number => {
      const { queue } = aQueue();
      for (let i = 0; i < keys; i += 1) queue.add(`k${i}`);
      const before = process.cpuUsage();
      takeAll(queue);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    workFor(20_000);
    const small = Math.min(...[1, 2, 3, 4].map(() => workFor(20_000)));
    const large = Math.min(...[1, 2, 3, 4].map(() => workFor(200_000)));
    // Moving all that remain at each step would make it a hundred times.
    expect(large / small).toBeLessThan(40);
  });
});
