import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const here = import.meta.dirname;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-stop-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a process that stops as `step` says, sends it `signals`, and gives how it ended. */
async function stopped(step: string, deadlineMs: number, signals: NodeJS.Signals[]) {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.ts`);
  const module = JSON.stringify(join(here, 'shutdown.process.ts'));
  const log = JSON.stringify(join(here, 'log.ts'));
  await writeFile(
    file,
    `import { stopOnSignal } from ${module}; import { SILENT_LOGGER } from ${log};
     stopOnSignal({ deadlineMs: ${deadlineMs}, log: SILENT_LOGGER, steps: () => [
       { name: 'a', stop: ${step} }, { name: 'b', stop: () => { process.stdout.write('b stopped') } } ] });
     setInterval(() => undefined, 1000); process.stdout.write('up ');`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: join(here, '../..') });
  let output = '';
  const begin = { ms: 0 };
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '') {
      begin.ms = performance.now();
      signals.forEach((signal, i) => setTimeout(() => child.kill(signal), i * 200));
    }
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { code, output, ms: performance.now() - begin.ms };
}

describe('a program that gets SIGTERM', () => {
  it('stops its parts in order and exits 0', async () => {
    const end = await stopped('async () => { process.stdout.write("a stopped ") }', 5_000, [
      'SIGTERM',
    ]);
    expect(end).toMatchObject({ code: 0, output: 'up a stopped b stopped' });
  });

  it('stops the other parts although one fails, and exits 1', async () => {
    const end = await stopped('() => { throw new Error("no") }', 5_000, ['SIGINT']);
    expect(end).toMatchObject({ code: 1, output: 'up b stopped' });
  });

  it('ends at its deadline although a part hangs', async () => {
    const end = await stopped('() => new Promise(() => undefined)', 500, ['SIGTERM']);
    expect(end).toMatchObject({ code: 1, output: 'up ' });
    expect(end.ms).toBeLessThan(3_000);
  });

  it('ends at once on a second signal', async () => {
    const end = await stopped('() => new Promise(() => undefined)', 60_000, ['SIGTERM', 'SIGTERM']);
    expect(end.code).toBe(143);
    expect(end.ms).toBeLessThan(3_000);
  });
});
