/*
 * The processes that the relay bench starts, each on one core; none of them outlives it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Where the bundles go: koffi is found from there, and a build of the product in the meantime leaves it alone. */
export const BUNDLES = join('node_modules', '.cache', 'sallyport-bench');

const running = new Set<ChildProcess>();
// A bench that fails leaves nothing behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Ends with the bench, if not before. */
export function kept(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Starts a bundled script of the bench on `core`, with a channel for messages and options of Node. */
export function startNode(
  script: string,
  core: number,
  options: readonly string[] = [],
): ChildProcess {
  const program = [process.execPath, ...options, join(BUNDLES, script)];
  const child = spawn('taskset', ['-c', `${core}`, ...program], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  return kept(child);
}

/** The next message of a process. @throws Error if it ends instead. */
export async function messageOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => {
      reject(new Error(`a contestant ended with ${code}`));
    };
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}

/** Starts a program on `core`. */
export const pinned = (core: number, program: string, args: readonly string[], env: object) =>
  kept(
    spawn('taskset', ['-c', `${core}`, program, ...args], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    }),
  );

/** Ends it and waits until it has ended. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}
