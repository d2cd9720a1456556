/*
 * The generator and sink (native/load.c) as the bench sees it: built once with cc, told what to do line by line.
 */
import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Which end of a flow: 0 sends in a run, 1 receives. */
export type Side = 0 | 1;

/** One measurement. `rate` is in datagrams per second, 0 as fast as it goes; `offset`: where the stamp begins behind the relay. */
export interface Run {
  readonly rate: number;
  readonly ms: number;
  readonly burst: number;
  readonly flows: number;
  readonly bytes: number;
  readonly offset: number;
  /** Datagrams of strangers beside it, per second. */
  readonly spoof?: number;
}

/** What a measurement saw. Latencies are in microseconds, from before the send call to after the receive call. */
export interface Seen {
  readonly sent: number;
  readonly received: number;
  readonly lossRatio: number;
  readonly sentPerSecond: number;
  /** While the generator sent: what a queue held then does not count. */
  readonly receivedPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly misordered: number;
  readonly corrupt: number;
  readonly spoofed: number;
}

/** A datagram that is to be answered. */
export interface Question {
  readonly side: Side;
  readonly flow: number;
  readonly question: Uint8Array;
  readonly fits: (answer: Buffer) => boolean;
}

/** Takes what came, or says that it is not what was asked for: an answer to a question that was sent twice. */
type Answer = (bytes: Buffer) => boolean;

/** How long an answer is waited for before its question is sent again. */
const ASK_AGAIN_MS = 1_000;
const ASK_TIMES = 10;

/** The address of one end of a flow, as load.c has it. */
export const addressOf = (side: Side, flow: number): string =>
  `127.${10 + side}.${(flow + 1) >> 8}.${(flow + 1) & 255}`;

/** Builds native/NAME.c into a temporary folder, which is the caller's. @throws Error without a C compiler. */
export async function buildNative(
  name: 'load' | 'forward',
): Promise<{ readonly program: string; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  const program = join(folder, name);
  const source = join(import.meta.dirname, 'native', `${name}.c`);
  execFileSync('cc', ['-O2', '-o', program, source], { stdio: ['ignore', 2, 2] });
  return { program, folder };
}

/** Address and port of an end of a flow. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/** Both ends of the first `flows` flows, for who only forwards between them. */
export function pairsOf({ ports }: Load, flows: number): readonly (readonly [End, End])[] {
  return Array.from({ length: flows }, (_, flow) => [
    { address: addressOf(0, flow), port: ports[0] },
    { address: addressOf(1, flow), port: ports[1] },
  ]);
}

/** A running generator. It opens sockets on loopback and sends to loopback only. */
export class Load {
  #lines: ((line: string) => void)[] = [];
  readonly #answers = new Map<string, Answer>();
  #ended: string | undefined;
  /** Bound ports of clients and servers. */
  ports: readonly [number, number] = [0, 0];

  private constructor(
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly folder: string,
  ) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#take(line);
    });
    // What it says on standard error tells more than a broken pipe.
    child.stdin.on('error', () => undefined);
    child.once('exit', (code) => {
      this.#ended = `ended with ${code}`;
      for (const fail of this.#lines.splice(0)) fail(this.#ended);
    });
  }

  /** Builds the program and starts it on `core`. @throws Error without a C compiler. */
  static async start(core: number): Promise<Load> {
    const { program, folder } = await buildNative('load');
    const child = spawn(program, [`${core}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    return new Load(child, folder);
  }

  /** New sockets: ports that no relay knows. */
  async open(): Promise<void> {
    const [, client, server] = (await this.#command('open')).split(' ').map(Number);
    this.ports = [client!, server!];
  }

  /** Where everything goes from now on. */
  async aim(address: string, port: number): Promise<void> {
    await this.#command(`target ${address} ${port}`);
  }

  /** What every datagram of a flow begins with. */
  setPrefix(flow: number, bytes: Uint8Array): void {
    this.child.stdin.write(`prefix ${flow} ${Buffer.from(bytes).toString('hex')}\n`);
  }

  /** Sends one datagram from an end of a flow and gives what comes there and `fits`. @throws Error without an answer. */
  async ask({ side, flow, question, fits }: Question): Promise<Buffer> {
    const key = `${side} ${flow}`;
    const line = `send ${key} ${Buffer.from(question).toString('hex')}\n`;
    for (let i = 0; i < ASK_TIMES; i++) {
      this.child.stdin.write(line);
      const answer = await this.#answer(key, fits);
      if (answer) return answer;
    }
    throw new Error(`no answer to flow ${flow}`);
  }

  /** Measures. */
  async run(run: Run): Promise<Seen> {
    const words = Object.entries(run).map(
      ([name, value]) => `${name}=${Math.round(Number(value))}`,
    );
    const answer = await this.#command(`run ${words.join(' ')}`);
    const found = Object.fromEntries(
      answer.split(' ').map((word) => [word.split('=')[0]!, Number(word.split('=')[1])]),
    );
    const read = (name: string): number => found[name] ?? NaN;
    const seconds = read('elapsed_ns') / 1e9;
    return {
      sent: read('sent'),
      received: read('received'),
      lossRatio: read('sent') === 0 ? 0 : 1 - read('received') / read('sent'),
      sentPerSecond: read('sent') / seconds,
      receivedPerSecond: read('during') / seconds,
      p50: read('p50'),
      p99: read('p99'),
      misordered: read('misordered'),
      corrupt: read('corrupt'),
      spoofed: read('spoofed'),
    };
  }

  /** Ends the program. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null) {
      this.child.stdin.end();
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  async #command(line: string): Promise<string> {
    const answer = new Promise<string>((resolve) => this.#lines.push(resolve));
    this.child.stdin.write(`${line}\n`);
    const text = this.#ended ?? (await answer);
    if (text.startsWith('ended')) throw new Error(`the load generator ${text}`);
    return text;
  }

  async #answer(key: string, fits: Question['fits']): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#answers.delete(key);
        resolve(undefined);
      }, ASK_AGAIN_MS);
      this.#answers.set(key, (bytes) => {
        if (!fits(bytes)) return false;
        clearTimeout(timer);
        resolve(bytes);
        return true;
      });
    });
  }

  #take(line: string): void {
    if (!line.startsWith('got ')) {
      this.#lines.shift()?.(line);
      return;
    }
    const [, side, flow, hex = ''] = line.split(' ');
    const key = `${side} ${flow}`;
    if (this.#answers.get(key)?.(Buffer.from(hex, 'hex'))) this.#answers.delete(key);
  }
}
