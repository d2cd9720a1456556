import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const GATEWAY = `apiVersion: sallyport.dev/v1alpha1
kind: SignalingGateway
metadata: { name: edge }
spec:
  hosts: [chat.example.com]
  relayPools: [{ name: eu }]
`;
const POOL = `---
apiVersion: sallyport.dev/v1alpha1
kind: RelayPool
metadata: { name: eu }
spec: { region: eu-central }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-up-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command line with these resources; interrupts it when `until` stands in its output. */
async function up(resources: string, args: readonly string[], until?: string) {
  await writeFile(join(folder, 'resources.yaml'), resources);
  const state = join(folder, 'state');
  const argv = ['--import', 'tsx', 'src/bin/sallyport.ts', 'up', '-f', folder, '--state', state];
  const child = spawn(process.execPath, [...argv, ...args], { cwd: ROOT });
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (until !== undefined && !child.killed && output.includes(until)) child.kill('SIGINT');
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, errors };
}

// What starts and runs is shown by test/processes/standalone.spec.ts: here no program is built.
describe('sallyport up', () => {
  it('exits 1 when a resource cannot work, and says what to change', async () => {
    const { code, output } = await up(GATEWAY, ['--once']);
    expect(output).toMatch(
      /^SignalingGateway +default\/edge +False +\d+ +PoolNotFound +There is no RelayPool/m,
    );
    expect(code).toBe(1);
  }, 30_000);

  it('runs until Ctrl-C and ends in order', async () => {
    const { code, output } = await up(GATEWAY + POOL, [], 'RollingOut');
    expect(output).toContain('SignalingGateway default/edge Ready=False RollingOut');
    expect(code).toBe(0);
  }, 30_000);

  it('refuses a misspelt field with the file and what to write', async () => {
    const { code, errors } = await up(POOL.replace('region', 'regoin'), ['--once']);
    expect(errors).toContain('resources.yaml, document 1: ');
    expect(errors).toContain('"spec.regoin" is not a field.');
    expect(errors).toContain('Write "spec.region" instead');
    expect(code).toBe(78);
  }, 30_000);

  it('says which program is missing and how to make it', async () => {
    const { output } = await up(GATEWAY + POOL, [], 'is not in');
    expect(output).toMatch(/dist\/bin\/gateway.js.* is not in/);
    expect(output).toContain('Build it: npm run compile.');
  }, 30_000);

  it('refuses keys of an earlier run that others may read', async () => {
    await chmod(join(folder, 'state/cluster.json'), 0o644);
    const { code, errors } = await up(GATEWAY + POOL, ['--once']);
    expect(errors).toContain('cluster.json may be read by others.');
    expect(errors).toContain('chmod 600');
    expect(code).toBe(78);
  }, 30_000);
});
