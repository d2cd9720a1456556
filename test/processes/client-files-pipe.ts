/*
 * A session between a test and a process of its own that receives files, over the pipe between them; and that process,
 * when this file is run: `client-files-pipe.ts FOLDER`.
 */
import type { FileSession } from '../../src/client/files/file-client.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { ChannelFullError } from '../../src/protocol/channels/channels.js';
import { LoopClient } from './client-files-bed.js';

const BUFFER_BYTES = 1 << 20;

/** What goes through the pipe: a message of the channel, or that it was taken. */
type Parcel = { readonly id: number; readonly bytes?: Uint8Array };

/** One end of a pipe. */
export interface Port {
  send(parcel: Parcel): void;
  onParcel(take: (parcel: Parcel) => void): void;
}

/** One half of a session over a pipe. */
export class PipeSession implements FileSession {
  isEstablished = true;
  readonly peer: FileSession['peer'];
  readonly #port: Port;
  readonly #client: LoopClient<PipeSession>;
  readonly #lengths = new Map<number, number>();
  #waiting: Required<Parcel>[] = [];
  #isPaused = false;
  #next = 0;
  #buffered = 0;
  #isFull = false;

  constructor(client: LoopClient<PipeSession>, deviceId: Uint8Array, port: Port) {
    this.peer = { device: { keys: { deviceId } } };
    this.#client = client;
    this.#port = port;
    port.onParcel(({ id, bytes }) => {
      if (bytes === undefined) this.#acknowledged(id);
      else {
        this.#waiting.push({ id, bytes: new Uint8Array(bytes) });
        this.#deliver();
      }
    });
  }

  send(_channel: 'file', bytes: Uint8Array): number {
    if (this.#isFull) throw new ChannelFullError('file');
    const id = this.#next++;
    this.#lengths.set(id, bytes.length);
    this.#buffered += bytes.length;
    this.#isFull = this.#buffered >= BUFFER_BYTES;
    this.#port.send({ id, bytes });
    return id;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  #deliver(): void {
    while (!this.#isPaused && this.isEstablished) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#client.tell('message', 'peer', 'file', message.bytes);
      this.#port.send({ id: message.id });
    }
  }

  #acknowledged(id: number): void {
    this.#buffered -= this.#lengths.get(id) ?? 0;
    this.#lengths.delete(id);
    this.#client.tell('acknowledged', 'peer', 'file', id);
    if (!this.#isFull || this.#buffered * 2 > BUFFER_BYTES) return;
    this.#isFull = false;
    this.#client.tell('writable', 'peer', 'file');
  }
}

/** The receiver: says yes to everything, until it is killed. */
export function receive(folder: string): void {
  const client = new LoopClient<PipeSession>(
    'bob',
    new Uint8Array(16).fill(2),
    {},
    () => undefined,
  );
  new FileTransfers(client, { folder, accept: () => true, backend: nodeBackend });
  const session = new PipeSession(client, new Uint8Array(16).fill(1), {
    send: (parcel) => process.send?.(parcel),
    onParcel: (take) => process.on('message', take),
  });
  client.current = session;
  client.tell('session', 'peer', session);
  process.send?.({ ready: true });
}

const [, program, folder] = process.argv;
if (program?.endsWith('client-files-pipe.ts') === true && folder !== undefined) receive(folder);
