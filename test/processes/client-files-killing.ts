/*
 * Kills a receiver of files at random points, for as long as it takes, and looks at what it asks for afterwards.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChunkSet } from '../../src/client/files/chunk-set.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { LoopClient, sha256 } from './client-files-bed.js';
import { PipeSession } from './client-files-pipe.js';

const CHUNK = 131_072;
const SIZE = 6_000_000;
/** Padded: 6,029,312 bytes, of which the last chunk holds some of the file. */
const CHUNKS = 46;
const KILLS_PER_FILE = 4;

/** What happened. */
export interface Killing {
  kills: number;
  files: number;
  /** After each kill: chunks that were good on the disk, and those that were asked for at the next start. */
  readonly resumed: { readonly good: number; readonly asked: number }[];
  /** What came does not equal what was sent. */
  readonly wrong: string[];
}

/** Kills `kills` times, at random points of files of 6 MB. */
export async function killAtRandom(kills: number): Promise<Killing> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-kills-'));
  const bed = new KillingBed(folder, kills);
  try {
    while (bed.outcome.kills < kills) await bed.file();
    return bed.outcome;
  } finally {
    bed.stop();
    await rm(folder, { recursive: true });
  }
}

class KillingBed {
  readonly outcome: Killing = { kills: 0, files: 0, resumed: [], wrong: [] };
  readonly #folder: string;
  readonly #kills: number;
  readonly #client: LoopClient<PipeSession>;
  readonly #files: FileTransfers;
  #child: ChildProcess | undefined;
  #content = new Uint8Array();
  #killsOfFile = 0;
  #good: number | undefined;
  #killAfter = Infinity;
  #sent = 0;

  constructor(folder: string, kills: number) {
    this.#folder = folder;
    this.#kills = kills;
    this.#client = new LoopClient('alice', new Uint8Array(16).fill(1), {}, () => undefined);
    this.#client.session = () => this.#session();
    this.#files = new FileTransfers(this.#client, {
      folder: join(folder, 'alice'),
      backend: nodeBackend,
    });
  }

  async file(): Promise<void> {
    const name = `file${this.outcome.files++}.bin`;
    this.#content = randomBytes(SIZE);
    this.#killsOfFile = 0;
    this.#good = undefined;
    await mkdir(join(this.#folder, 'alice'), { recursive: true });
    const path = join(this.#folder, 'alice', name);
    await writeFile(path, this.#content);
    this.#plan();
    await this.#files.send('peer', path);
    this.#killAfter = Infinity;
    const came = await readFile(join(this.#bob, name));
    if (sha256(came) !== sha256(this.#content)) this.outcome.wrong.push(name);
  }

  stop(): void {
    this.#files.close();
    this.#child?.kill('SIGKILL');
  }

  get #bob(): string {
    return join(this.#folder, 'bob');
  }

  #plan(): void {
    const isDue = this.#killsOfFile < KILLS_PER_FILE && this.outcome.kills < this.#kills;
    this.#sent = 0;
    this.#killAfter = isDue ? randomInt(1, CHUNKS + 2) : Infinity;
  }

  async #session(): Promise<PipeSession> {
    if (this.#client.current !== undefined) return this.#client.current;
    const child = fork(join(import.meta.dirname, 'client-files-pipe.ts'), [this.#bob], {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    this.#child = child;
    await once(child, 'message');
    const session = new PipeSession(this.#client, new Uint8Array(16).fill(2), {
      send: (parcel) => {
        if (child.connected) child.send(parcel);
        if (parcel.bytes?.[0] === 4 || parcel.bytes === undefined) this.#count(child);
      },
      onParcel: (take) =>
        child.on('message', (parcel: Parameters<typeof take>[0]) => {
          if (parcel.bytes?.[0] === 3) this.#asked(parcel.bytes);
          take(parcel);
        }),
    });
    this.#client.current = session;
    this.#client.tell('session', 'peer', session);
    return session;
  }

  /** Chunks, and acknowledgements of what the receiver says: a kill may come before, between and behind all of them. */
  #count(child: ChildProcess): void {
    if (++this.#sent !== this.#killAfter) return;
    this.#killAfter = Infinity;
    void this.#kill(child);
  }

  async #kill(child: ChildProcess): Promise<void> {
    await delay(randomInt(0, 30));
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    this.outcome.kills++;
    this.#killsOfFile++;
    this.#good = await this.#goodChunks();
    this.#plan();
    this.#client.current = undefined;
    this.#client.tell('session-ended', 'peer');
  }

  #asked(accept: Uint8Array): void {
    if (this.#good === undefined) return;
    const asked = ChunkSet.from(accept.slice(17), CHUNKS)?.count ?? -1;
    this.outcome.resumed.push({ good: this.#good, asked });
    this.#good = undefined;
  }

  /**
   * Looked at without the program under test. Undefined if the file has come to its end already. The part of a file before
   * is still there if the kill came between the sender's knowing and its going.
   */
  async #goodChunks(): Promise<number | undefined> {
    const parts = join(this.#bob, '.sallyport');
    const names = (await readdir(parts)).filter((each) => each.endsWith('.part'));
    if (names.length === 0) return undefined;
    const good = await Promise.all(names.map((name) => this.#goodChunksOf(join(parts, name))));
    return Math.max(...good);
  }

  async #goodChunksOf(path: string): Promise<number> {
    const part = await readFile(path);
    let good = 0;
    for (let at = 0; at < SIZE; at += CHUNK) {
      const end = Math.min(SIZE, at + CHUNK);
      const isSame = part.subarray(at, end).equals(this.#content.subarray(at, end));
      if (part.length >= end && isSame) good++;
    }
    return good;
  }
}

export { CHUNKS };
