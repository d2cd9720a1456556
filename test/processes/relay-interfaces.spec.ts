import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Refused, Seen } from './relay-udp-interfaces.js';

/** What the program in the namespace saw. */
let seen: Readonly<Record<'koffi' | 'dgram', Seen>> & { readonly refused: Refused };

beforeAll(async () => {
  if (process.getuid?.() !== 0)
    throw new Error('Run this test as root: it makes network namespaces (unshare -n, ip link).');
  const program = join(import.meta.dirname, 'relay-udp-interfaces.ts');
  // The namespaces end with the processes: nothing is left to clean up, and a timeout kills both.
  const { stdout } = await promisify(execFile)(
    'unshare',
    ['-n', process.execPath, '--import', 'tsx', program],
    { timeout: 120_000, killSignal: 'SIGKILL' },
  );
  seen = JSON.parse(stdout) as typeof seen; // Written by the program above.
}, 130_000);

describe.each(['koffi', 'dgram'] as const)(
  'a relay with %s on a host with two interfaces',
  (kind) => {
    it('S72: that listens on the address of one answers there, and the other hears nothing', () => {
      expect(seen[kind].chosen).toEqual({ first: '10.9.1.1', second: 'nobody', strange: 0 });
    });

    it('that listens on all answers and forwards from the address that each peer used', () => {
      expect(seen[kind].every).toEqual({
        client: '10.9.1.9 34780',
        server: '10.9.2.1 34780',
        toClient: '10.9.1.9 34780',
        toServer: '10.9.2.1 34780',
      });
    });
  },
);

describe('datagrams that the kernel does not take', () => {
  it('T18: above the MTU are dropped and counted one by one, and none is sent in fragments', () => {
    expect(seen.refused).toMatchObject({ sendFailed: 4, segmentationFailures: 1 });
  });

  it('are dropped as send-buffer when nothing leaves, without an end to waiting for room', () => {
    expect(seen.refused.sendBuffer).toBeGreaterThan(50);
    expect(seen.refused.sendBuffer).toBeLessThan(100);
  });
});
