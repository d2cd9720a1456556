/*
 * The forwarder in C (native/forward.c): what this machine takes for a packet if nothing is asked of it.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { kept, stopChild } from './relay-children.js';
import type { Contestant } from './relay-contestants.js';
import { buildNative, pairsOf } from './relay-load.js';

/** Builds it and starts it on `core`. @throws Error without a C compiler. */
export async function startForwarder(core: number): Promise<Contestant> {
  const { program, folder } = await buildNative('forward');
  const child = spawn('taskset', ['-c', `${core}`, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  kept(child);
  const lines = createInterface({ input: child.stdout });
  const failed = new Promise<never>((_, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`the forwarder in C ended with ${code}`));
    });
  });
  failed.catch(() => undefined); // It ends when it is stopped: only who waits for an answer is told.
  const ask = (text: string): Promise<string> => {
    const answer = new Promise<string>((resolve) => lines.once('line', resolve));
    child.stdin.write(`${text}\n`);
    return Promise.race([answer, failed]);
  };
  const port = Number((await ask('bind')).split(' ')[1]);
  return {
    name: 'c_forwarder',
    pid: child.pid!,
    prepare: async (load, flows) => {
      await load.aim('127.0.0.1', port);
      const pairs = pairsOf(load, flows).map(
        ([a, b]) => `pair ${a.address} ${a.port} ${b.address} ${b.port}\n`,
      );
      await ask(`${pairs.join('')}paired`);
      return 0;
    },
    stop: async () => {
      await stopChild(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
