import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const QUICKSTART = join(ROOT, 'config/quickstart');
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
  const argv = ['--import', 'tsx', 'src/bin/sallyport.ts', 'up', '-f', folder, ...args];
  const child = spawn(process.execPath, argv, { cwd: ROOT });
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (until !== undefined && output.includes(until)) child.kill('SIGINT');
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, errors };
}

describe('sallyport up', () => {
  it('shows every resource with what was made for it, and says that no pod is started', async () => {
    const { code, output } = await up(GATEWAY + POOL, ['--once']);
    expect(output).toMatch(/^KIND +NAME +READY +OBJECTS +REASON +MESSAGE$/m);
    expect(output).toMatch(/^SignalingGateway +default\/edge +False +1\d +RollingOut/m);
    expect(output).toMatch(/^RelayPool +default\/eu +False +\d+ +/m);
    expect(output).toContain('Pods are not started by this version');
    expect(code).toBe(0);
  }, 30_000);

  it('converges on what a newcomer starts, roles with their signed bundle included', async () => {
    const quickstart = await readdir(QUICKSTART);
    const texts = await Promise.all(
      quickstart.map((file) => readFile(join(QUICKSTART, file), 'utf8')),
    );
    const { code, output } = await up(texts.join('---\n'), ['--once']);
    expect(output).toMatch(/^AccessRole +default\/user +True +\d+ +Published/m);
    expect(code).toBe(0);
  }, 30_000);

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
});
