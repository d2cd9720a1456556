/*
 * The command line as a process: with pipes, or at a terminal of its own (`script` of util-linux makes one).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = ['--import', 'tsx', 'src/bin/sallyport.ts'];
const WITHIN_MS = 40_000;

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
    const child = spawn(process.execPath, [...PROGRAM, ...args], {
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
    const command = [process.execPath, ...PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qefc', `${command} ${outside}`, '/dev/null'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: tmpdir(), TERM: 'xterm' },
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
      if (Date.now() > end || this.child.exitCode !== null)
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
    await this.secret(`${name}/gateways.json`, JSON.stringify(gateways));
    const args = ['identity', 'create', '--no-backup', '--words', '12', ...this.of(name)];
    const { code, stderr } = await CliProcess.run(args).ended;
    if (code !== 0) throw new Error(stderr);
    return this.of(name);
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}
