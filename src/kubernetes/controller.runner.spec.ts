import { describe, expect, it } from '@jest/globals';
import { ControllerRunner } from './controller.runner.js';
import type { ControllerOptions, ReconcileOutcome } from './controller.runner.js';
import { Fenced } from './leader-lease.js';
import type { ObjectKey } from './object.js';
import type { ReconcileResult } from './reconciler.js';

const key = (name: string): ObjectKey => ({ namespace: 'talk', name });
const pause = (ms = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for what must come however busy the machine is; jest's own limit ends a wait in vain. */
async function until(met: () => boolean): Promise<void> {
  while (!met()) await pause(1);
}

/** Something that hangs until the test lets it go on. */
function aGate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return {
    passed,
    open: () => {
      open();
    },
  };
}

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
    const gate = aGate();
    let passes = 0;
    const { controller } = aController(async ({ name }) => {
      expect(running.has(name)).toBe(false);
      running.add(name);
      passes += 1;
      await gate.passed;
      running.delete(name);
      return {};
    });
    controller.add(key('a'), 'Edit');
    await until(() => passes === 1);
    controller.add(key('a'), 'Edit');
    controller.add(key('a'), 'Edit');
    await pause();
    expect(passes).toBe(1);
    gate.open();
    await until(() => controller.idle);
    expect(passes).toBe(2);
    await controller.drain();
  });

  it('work on other keys while one hangs, and go on when one throws', async () => {
    const gate = aGate();
    const { controller, outcomes, errors } = aController(async ({ name }) => {
      if (name === 'hangs') await gate.passed;
      if (name === 'throws') throw new Error('no');
      return {};
    });
    for (const name of ['hangs', 'throws', 'works']) controller.add(key(name), 'Edit');
    await until(() => outcomes.some(([name]) => name === 'works'));
    expect(outcomes).toContainEqual(['works', 'success']);
    expect(errors[0]).toEqual(['throws', expect.objectContaining({ message: 'no' })]);
    gate.open();
    await controller.drain();
  });

  it('let the event loop turn between passes, so that probes and watches never wait for all keys', async () => {
    let passes = 0;
    const { controller } = aController(() => {
      passes += 1;
      return Promise.resolve({});
    });
    for (let i = 0; i < 100; i++) controller.add(key(`k${i}`), 'Resync');
    let turns = 0;
    while (!controller.idle) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect(passes).toBe(100);
    expect(turns).toBeGreaterThan(20);
    await controller.drain();
  });

  it('try again what threw, with growing delays', async () => {
    const times: number[] = [];
    const { controller } = aController(() => {
      times.push(performance.now());
      return Promise.reject(new Error('no'));
    });
    controller.add(key('a'), 'Edit');
    await until(() => times.length >= 6);
    await controller.drain();
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    // The fifth delay is at least 80 ms by design; the first, of 5 ms, may be late but not by as much each time.
    expect(gaps[4]!).toBeGreaterThanOrEqual(79);
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
    await until(() => outcomes.length === 2);
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
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual([['a', 'requeue']]);
    expect(errors).toEqual([]);
    fenced = false;
    leads = true;
    controller.wake();
    await until(() => outcomes.length === 2);
    expect(outcomes).toEqual([
      ['a', 'requeue'],
      ['a', 'success'],
    ]);
    await controller.drain();
  });

  it('finish what is in work when they are drained, and start nothing more', async () => {
    const begun: string[] = [];
    const ended: string[] = [];
    const gate = aGate();
    const { controller } = aController(async ({ name }) => {
      begun.push(name);
      await gate.passed;
      ended.push(name);
      return {};
    });
    for (const name of ['a', 'b', 'c']) controller.add(key(name), 'Edit');
    await until(() => begun.length === 2);
    const drained = controller.drain();
    gate.open();
    await drained;
    expect(begun).toEqual(['a', 'b']);
    expect(ended).toEqual(['a', 'b']);
    controller.add(key('d'), 'Edit');
    await pause();
    expect(begun).toHaveLength(2);
  });
});
