import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianTree } from '../debian/packages.js';

/**
 * Runs test/faults/`program` as the first process of namespaces of its own (processes, network, mounts) and gives the
 * JSON that it wrote. When it ends, or `timeoutMs` are over, the kernel ends every process in there, and with the last
 * of them networks, rules and mounts are gone; so is the folder for its files.
 * @throws Error if this is not root, if nftables cannot be had, and with what the program said when it fails.
 */
export async function inNamespaces(program: string, timeoutMs: number): Promise<unknown> {
  if (process.getuid?.() !== 0)
    throw new Error('Run this test as root: it makes network namespaces (unshare, ip, nft).');
  const { root, env } = debianTree(['nftables']);
  const file = join(import.meta.dirname, program);
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-nat-'));
  const namespaces = ['--net', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
  const more = { ...env, TMPDIR: folder, SALLYPORT_TEST_NFT: join(root, 'usr/sbin/nft') };
  try {
    const { stdout } = await promisify(execFile)(
      'unshare',
      [...namespaces, process.execPath, '--import', 'tsx', file],
      { timeout: timeoutMs, killSignal: 'SIGKILL', env: { ...process.env, ...more } },
    );
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
