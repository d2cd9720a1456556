/*
 * The command line as a process: with pipes, or at a terminal of its own (`script` of util-linux makes one). Who imports
 * this gets the program as one file, made before the first test: it starts in a third of the time.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { bundle } from '../../config/tooling/bundler.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { POLICY_KEY, type ClientBed } from './client-bed.js';

const ROOT = join(import.meta.dirname, '../..');
/** Below dist, where it finds its packages and crds/. */
const BUNDLED = join(ROOT, `dist/test-cli-${process.pid}`);
const PROGRAM = join(BUNDLED, 'sallyport.js');
const WITHIN_MS = 40_000;

beforeAll(() => bundle({ sallyport: 'src/bin/sallyport.ts' }, BUNDLED), WITHIN_MS);
afterAll(() => rm(BUNDLED, { recursive: true, force: true }));

/** A passphrase that the rules take. */
export const PASSPHRASE = 'vivid otter quarrels gently 88';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line, running. */
export class CliProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  #seen = 0;

  constructor(readonly child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    // Who has ended reads nothing any more.
    child.stdin?.on('error', () => undefined);
    const timer = setTimeout(() => child.kill('SIGKILL'), 3 * WITHIN_MS);
    this.ended = new Promise((resolve) =>
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      }),
    );
  }

  /** Starts it with pipes; nothing is at its standard input unless `keepInput`. */
  static run(args: readonly string[], { keepInput = false, env = {} } = {}): CliProcess {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: tmpdir(), ...env },
      stdio: [keepInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      // Without the terminal of who runs the tests.
      detached: true,
    });
    return new CliProcess(child);
  }

  /** Starts it at a terminal of its own; `outside` is redirected as a shell would do it. */
  static atTerminal(args: readonly string[], outside = ''): CliProcess {
    const command = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qefc', `${command} ${outside}`, '/dev/null'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: tmpdir(), TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    return new CliProcess(child);
  }

  /** Starts an interactive bash at a terminal of its own, in `folder`; $NODE $PROGRAM is the command line. */
  static shell(folder: string): CliProcess {
    const child = spawn('script', ['-qefc', 'bash --norc --noprofile -i', '/dev/null'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        TERM: 'dumb',
        NODE: process.execPath,
        PROGRAM,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    return new CliProcess(child);
  }

  /** Types text, as keys. */
  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Waits for text that came after what was waited for before; gives all up to its end. */
  async says(text: string): Promise<string> {
    const end = Date.now() + WITHIN_MS;
    for (;;) {
      const at = this.stdout.indexOf(text, this.#seen);
      if (at >= 0) {
        this.#seen = at + text.length;
        return this.stdout.slice(0, this.#seen);
      }
      if (Date.now() > end || this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`never said ${text}: ${this.stdout}\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Events of `--output json` so far. */
  get events(): readonly Readonly<Record<string, unknown>>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"event"'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  /** Waits for a session with somebody, gives the other side a moment, and ends it with Ctrl-C. */
  async saysThenStops(text = 'Connected to'): Promise<Ended> {
    await this.says(text);
    setTimeout(() => {
      this.interrupt();
    }, 3_000);
    return this.ended;
  }

  /** Ctrl-C as the shell sends it. */
  interrupt(): void {
    this.child.kill('SIGINT');
  }
}

/** Runs a command to its end, with nothing at its standard input. */
export const run = (...args: readonly string[]): Promise<Ended> => CliProcess.run(args).ended;

/** What a command that ends well, and without a word on standard error, prints as JSON. */
export async function json<Value = Readonly<Record<string, unknown>>>(
  ...args: readonly string[]
): Promise<Value> {
  const { code, stdout, stderr } = await run(...args, '--output', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Value;
}

/** Writes other settings for the gateway of `bed`, which takes them over while it runs. */
export function rewriteSettings(
  bed: ClientBed,
  change: (settings: GatewaySettings) => GatewaySettings,
): Promise<void> {
  const key = POLICY_KEY.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const publicKeys = [key.toString('base64url')];
  return bed.gatewayFolder.writeSettings((settings) => ({
    ...change(settings),
    policy: { ...settings.policy, publicKeys },
  }));
}

/** How a command that fails ends, and the error that it tells as JSON. */
export async function refusal(...args: readonly string[]): Promise<Refusal> {
  const { code, stderr } = await run(...args, '--output', 'json');
  const { error } = JSON.parse(stderr) as { readonly error: Omit<Refusal, 'exit'> };
  return { exit: code, ...error };
}

/** An error as the command line tells it. */
export interface Refusal {
  readonly exit: number | null;
  readonly code: string;
  readonly problem: string;
  readonly hint: string;
}

/** A folder for endpoints, with a passphrase file. */
export class CliFolder {
  private constructor(readonly path: string) {}

  static async make(): Promise<CliFolder> {
    const folder = new CliFolder(await mkdtemp(join(tmpdir(), 'sallyport-cli-')));
    await folder.secret('passphrase', PASSPHRASE);
    return folder;
  }

  in(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file of mode 0600. */
  async secret(name: string, text: string): Promise<string> {
    await writeFile(this.in(name), `${text}\n`, { mode: 0o600 });
    await chmod(this.in(name), 0o600);
    return this.in(name);
  }

  /** Arguments of the endpoint `name`. */
  of(name: string): readonly string[] {
    return ['--home', this.in(name), '--passphrase-file', this.in('passphrase')];
  }

  /** An endpoint with an identity and this list of gateways. */
  async endpoint(name: string, gateways: readonly object[] = []): Promise<readonly string[]> {
    await mkdir(this.in(name), { mode: 0o700 });
    await this.gateways(name, gateways);
    const args = ['identity', 'create', '--no-backup', '--words', '12', ...this.of(name)];
    const { code, stderr } = await CliProcess.run(args).ended;
    if (code !== 0) throw new Error(stderr);
    return this.of(name);
  }

  /** The list of gateways of the endpoint `name`. */
  async gateways(name: string, gateways: readonly object[]): Promise<void> {
    await this.secret(`${name}/gateways.json`, JSON.stringify(gateways));
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}
