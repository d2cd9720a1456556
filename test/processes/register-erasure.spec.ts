import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { MASK } from './noise-endpoint-channel.js';
import { copiesIn } from './process-memory.js';

/** Where the key stands in the memory of deoptimised-cipher.ts with `backend`: before it is erased, and after. */
async function copiesOfTheKey(backend: string) {
  const child = fork('test/processes/deoptimised-cipher.ts', [backend], {
    execArgv: ['--allow-natives-syntax', '--import', 'tsx'],
  });
  try {
    const [masked] = (await once(child, 'message')) as [number[]]; // What the program sends.
    const key = new Map([['key', Uint8Array.from(masked, (byte) => byte ^ MASK)]]);
    const before = copiesIn(child.pid!, key);
    const erased = once(child, 'message');
    child.send('erase');
    await erased;
    return { before, after: copiesIn(child.pid!, key) };
  } finally {
    child.kill();
  }
}

describe.each(['sodium', 'node'])(
  'the vector registers of a process with the %s back end',
  (backend) => {
    it('T46: hold no key that V8 saves with them when it leaves optimised code', async () => {
      const { before, after } = await copiesOfTheKey(backend);
      expect(before.length).toBeGreaterThan(0);
      expect(after).toEqual([]);
    });
  },
);
