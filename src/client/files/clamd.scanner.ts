/*
 * Asks a clamd (protocol: clamd(8), INSTREAM) whether a file holds something. The file goes over a socket: the scanner
 * needs no right to read it and never learns its name.
 *
 *   zINSTREAM 00 | each piece: length u32, bytes | length 0
 *   back: "stream: OK" 00, "stream: NAME FOUND" 00, or anything else, which is a failure
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { u32 } from '../../protocol/bytes.js';

const COMMAND = Buffer.from('zINSTREAM\0', 'latin1');
const MAX_ANSWER_BYTES = 4_096;
const DEFAULT_TIMEOUT_MS = 120_000;

/** What a scanner says of a file. */
export type ScanVerdict =
  { readonly clean: true } | { readonly clean: false; readonly found: string };

/** Anything that looks into files before they are released. A rejection is a failure: nothing is released then. */
export interface FileScanner {
  scan(content: AsyncIterable<Uint8Array>): Promise<ScanVerdict>;
}

/** Where clamd listens: `{ path }` of its socket or `{ host, port }`; and how long it may be silent. */
export type ClamdOptions = (
  { readonly path: string } | { readonly host: string; readonly port: number }
) & {
  readonly timeoutMs?: number;
};

/** A scanner that asks clamd. */
export class ClamdScanner implements FileScanner {
  readonly #options: ClamdOptions;

  constructor(options: ClamdOptions) {
    this.#options = options;
  }

  /** @throws Error if clamd is not there, is silent for too long, or says anything but a verdict. */
  async scan(content: AsyncIterable<Uint8Array>): Promise<ScanVerdict> {
    const socket = connect(this.#options as NetConnectOpts); // The two kinds of places are two kinds of its options.
    const answer = answerOf(socket, this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    // It may come before all is sent: then nobody waits for it yet.
    answer.catch(() => undefined);
    try {
      await Promise.race([sendAll(socket, content), answer]);
      return readVerdict(await answer);
    } finally {
      socket.destroy();
    }
  }
}

async function sendAll(socket: Socket, content: AsyncIterable<Uint8Array>): Promise<void> {
  await written(socket, COMMAND);
  for await (const piece of content) {
    await written(socket, u32(piece.length));
    await written(socket, piece);
  }
  await written(socket, u32(0));
}

/** The piece belongs to who gave it again when it was taken over by the system. */
const written = (socket: Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

function answerOf(socket: Socket, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.setTimeout(timeoutMs, () => {
      reject(new Error('the scanner is silent'));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      reject(new Error('the scanner gave no verdict'));
    });
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
      const end = answer.indexOf('\0');
      if (end >= 0) resolve(answer.slice(0, end));
      else if (answer.length > MAX_ANSWER_BYTES) reject(new Error('the scanner says too much'));
    });
  });
}

function readVerdict(answer: string): ScanVerdict {
  if (answer === 'stream: OK') return { clean: true };
  const found = /^stream: (.{1,512}) FOUND$/.exec(answer)?.[1];
  if (found !== undefined) return { clean: false, found };
  throw new Error('the scanner gave no verdict');
}
