import type { Clock } from '../../../src/runtime/clock.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
import type { TestApiServer } from '../bed/api-server.js';
import { prepare, type Operation } from './operations.js';
import { CrashPoint, startRooms, type Ending } from './rooms.js';
import { snapshot } from './snapshot.js';

/** What one operation comes to when nothing goes wrong. */
export interface Undisturbed {
  /** Calls of the engine, lists and watches apart. */
  readonly calls: number;
  readonly writes: number;
  readonly objects: Readonly<Record<string, string>>;
}

/** The clock of this machine, and what an operation lets pass. */
class WalkClock implements Clock {
  aheadMs = 0;
  readonly now = (): Date => new Date(systemClock.now().getTime() + this.aheadMs);
  readonly monotonicMs = (): number => systemClock.monotonicMs();
}

/** What a walk needs of kube-controller-manager: children of a deleted resource have to go. */
export const CONTROLLERS = ['garbage-collector-controller', 'serviceaccount-controller'];

let namespaces = 0;
/** A name that no walk in this process had before. */
export const nextNamespace = (): string => `walk-${(namespaces += 1)}`;

/** Runs `operation` to its end, without a crash. */
export async function undisturbed(
  server: TestApiServer,
  operation: Operation,
): Promise<Undisturbed> {
  const point = new CrashPoint();
  const namespace = nextNamespace();
  await prepare(server, namespace, operation);
  const clock = new WalkClock();
  const rooms = await startRooms(server, namespace, point.hooks, clock);
  try {
    await rooms.settled();
    point.arm();
    clock.aheadMs = operation.laterMs ?? 0;
    await operation.act(server, namespace);
    await rooms.settled(400);
    return { calls: point.count, writes: point.writes, objects: await snapshot(server, namespace) };
  } finally {
    await rooms.stop();
  }
}

/**
 * Runs `operation`, lets the engine's `nth` call end badly, and then lets an engine with empty memory finish. Gives what
 * stands afterwards, and what the call was; `undefined` when the operation had fewer calls this time.
 */
export async function withCrash(
  server: TestApiServer,
  operation: Operation,
  crash: { readonly nth: number; readonly ending: Ending },
): Promise<
  { readonly struck: string; readonly objects: Readonly<Record<string, string>> } | undefined
> {
  const point = new CrashPoint(crash.nth, crash.ending);
  const namespace = nextNamespace();
  await prepare(server, namespace, operation);
  const clock = new WalkClock();
  const first = await startRooms(server, namespace, point.hooks, clock);
  try {
    await first.settled();
    point.arm();
    clock.aheadMs = operation.laterMs ?? 0;
    await operation.act(server, namespace);
    await first.settled(crash.ending === 'Abort' ? 60 : 250);
  } finally {
    await first.stop();
  }
  if (point.struck === undefined) return undefined;
  const second = await startRooms(server, namespace, {}, clock);
  try {
    await second.settled(250);
    const { verb, path } = point.struck;
    return {
      struck: `${verb} ${path.replaceAll(namespace, '<namespace>')}`,
      objects: await snapshot(server, namespace),
    };
  } finally {
    await second.stop();
  }
}

/** Runs `work` for each item, a few at a time: most of a walk is waiting for the API server. */
export async function severalAtATime<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
