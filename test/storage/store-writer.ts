/*
 * A program that creates accounts in the store of its argument and prints each one after the store has acknowledged it,
 * until it is killed.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openStore } from '../../src/gateway/storage/open.store.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { anAccount, random } from './store-bed.js';
import { systemClock } from '../../src/runtime/system.clock.js';

const STDOUT = 1;
// The test that starts this program writes it.
const storage = JSON.parse(process.argv[2]!) as GatewaySettings['storage'];
const store = await openStore({ storage }, { clock: systemClock, random });
for (let at = 0; at < 1_000_000; at += 1) {
  const account = `sp1${randomBytes(8).toString('hex')}`;
  await store.createAccount(anAccount({ account }));
  print(`${account}\n`);
}

/** Whoever reads may be behind for a moment: then the pipe is full, and the line waits. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(STDOUT, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
