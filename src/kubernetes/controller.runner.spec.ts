import { describe, expect, it } from '@jest/globals';
import { ControllerRunner } from './controller.runner.js';
import type { ControllerOptions, ReconcileOutcome } from './controller.runner.js';
import { Fenced } from './leader-lease.js';
import type { ObjectKey } from './object.js';
import type { ReconcileResult } from './reconciler.js';

const key = (name: string): ObjectKey => ({ namespace: 'talk', name });
const pause = (ms = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function aController(
  reconcile: (key: ObjectKey) => Promise<ReconcileResult>,
  change: Partial<ControllerOptions> = {},
) {
  const outcomes: [string, ReconcileOutcome][] = [];
  const errors: [string, unknown][] = [];
  const controller = new ControllerRunner({
    reconciler: { name: 'test', watches: [], reconcile },
    workers: 2,
    nowMs: () => performance.now(),
    mayWork: () => true,
    takeRequests: () => ({ backoff: false }),
    onReconciled: ({ name }, outcome) => outcomes.push([name, outcome]),
    onError: ({ name }, error) => errors.push([name, error]),
    onWaited: () => undefined,
    ...change,
  });
  return { controller, outcomes, errors };
}

describe('the workers of a controller', () => {
  it('never work on one key twice at once, and work on it again when it was added meanwhile', async () => {
    const running = new Set<string>();
    let passes = 0;
    const { controller } = aController(async ({ name }) => {
      expect(running.has(name)).toBe(false);
      running.add(name);
      passes += 1;
      await pause();
      running.delete(name);
      return {};
    });
    controller.add(key('a'), 'Edit');
    await pause(1);
    controller.add(key('a'), 'Edit');
    controller.add(key('a'), 'Edit');
    await pause(40);
    expect(passes).toBe(2);
    await controller.drain();
  });

  it('work on other keys while one hangs, and go on when one throws', async () => {
    const { controller, outcomes, errors } = aController(async ({ name }) => {
      if (name === 'hangs') await pause(100);
      if (name === 'throws') throw new Error('no');
      return {};
    });
    for (const name of ['hangs', 'throws', 'works']) controller.add(key(name), 'Edit');
    await pause(30);
    expect(outcomes).toContainEqual(['works', 'success']);
    expect(errors[0]).toEqual(['throws', expect.objectContaining({ message: 'no' })]);
    await controller.drain();
  });

  it('try again what threw, with growing delays', async () => {
    const times: number[] = [];
    const { controller } = aController(() => {
      times.push(performance.now());
      return Promise.reject(new Error('no'));
    });
    controller.add(key('a'), 'Edit');
    await pause(120);
    await controller.drain();
    expect(times.length).toBeGreaterThanOrEqual(4);
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    expect(gaps[2]!).toBeGreaterThan(gaps[0]!);
  });

  it('look again after the time that the result names, or what carrying out asks for if that is sooner', async () => {
    let passes = 0;
    let asked: ReconcileResult & { backoff: boolean } = { backoff: false, requeueAfterMs: 10 };
    const { controller, outcomes } = aController(
      () => {
        passes += 1;
        return Promise.resolve(passes === 1 ? { requeueAfterMs: 60_000 } : {});
      },
      {
        takeRequests: () => {
          const taken = asked;
          asked = { backoff: false };
          return taken;
        },
      },
    );
    controller.add(key('a'), 'Edit');
    await pause(60);
    expect(outcomes).toEqual([
      ['a', 'requeue_after'],
      ['a', 'success'],
    ]);
    await controller.drain();
  });

  it('keep keys until they may work, and put back what was fenced without calling it an error', async () => {
    let leads = false;
    let fenced = true;
    const { controller, outcomes, errors } = aController(
      () => {
        if (!fenced) return Promise.resolve({});
        leads = false;
        return Promise.reject(new Fenced());
      },
      { mayWork: () => leads },
    );
    controller.add(key('a'), 'Edit');
    await pause();
    expect(outcomes).toEqual([]);
    leads = true;
    controller.wake();
    await pause();
    expect(outcomes).toEqual([['a', 'requeue']]);
    expect(errors).toEqual([]);
    fenced = false;
    leads = true;
    controller.wake();
    await pause();
    expect(outcomes).toEqual([
      ['a', 'requeue'],
      ['a', 'success'],
    ]);
    await controller.drain();
  });

  it('finish what is in work when they are drained, and start nothing more', async () => {
    const begun: string[] = [];
    const ended: string[] = [];
    const { controller } = aController(async ({ name }) => {
      begun.push(name);
      await pause(20);
      ended.push(name);
      return {};
    });
    for (const name of ['a', 'b', 'c']) controller.add(key(name), 'Edit');
    await pause(5);
    await controller.drain();
    expect(begun).toEqual(['a', 'b']);
    expect(ended).toEqual(['a', 'b']);
    controller.add(key('d'), 'Edit');
    await pause();
    expect(begun).toHaveLength(2);
  });
});
