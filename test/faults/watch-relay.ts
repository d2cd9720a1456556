import type { IncomingMessage, ServerResponse } from 'node:http';
import { statusObject } from './fault.js';
import type { Call, Fault } from './fault.js';

/** Long enough for the kernel to hand over what was written before the connection ends. */
const FLUSH_MS = 20;

/** Passes a watch on, one whole line at a time and each at once, until it is told to harm it. */
export class WatchRelay {
  private rest = Buffer.alloc(0);
  private events = 0;
  private ended = false;
  private frozen = false;

  constructor(
    readonly call: Call,
    private readonly answer: IncomingMessage,
    private readonly client: ServerResponse,
    private readonly fault: Fault | undefined,
  ) {
    answer.on('data', (chunk: Buffer) => {
      this.take(chunk);
    });
    answer.on('end', () => {
      if (!this.ended && !this.frozen) client.end(this.rest);
    });
    answer.on('error', () => {
      if (!this.frozen) client.socket?.destroy();
    });
    client.on('drain', () => {
      if (!this.frozen) answer.resume();
    });
    // Before the first event there is only the fault that comes after none.
    this.harmAfterEvent();
  }

  /** Writes the beginning of an event and ends the connection in the middle of the line. */
  cutMidLine(line = '{"type":"MODIFIED","object":{"kind":"Secret","metadata":{"na'): void {
    this.endWith(line, 'Abrupt');
  }

  /** Writes an ERROR event with a 410 and ends the watch as the API server does. */
  expire(): void {
    this.endWith(`${JSON.stringify({ type: 'ERROR', object: statusObject(410) })}\n`, 'Clean');
  }

  /** Ends the watch between two events without an error, as a server timeout does. */
  close(): void {
    this.endWith('', 'Clean');
  }

  /** Passes nothing on until `thaw`; the connection stays. */
  freeze(): void {
    this.frozen = true;
    this.answer.pause();
  }

  /** Ends `freeze`: what waited is passed on. */
  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.take(Buffer.alloc(0));
    this.answer.resume();
    // The server went away while nobody looked.
    if (this.answer.destroyed && !this.answer.complete) this.client.socket?.destroy();
  }

  private take(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (
      let end = this.rest.indexOf('\n');
      end >= 0 && this.passes();
      end = this.rest.indexOf('\n')
    ) {
      const line = this.rest.subarray(0, end + 1);
      this.rest = this.rest.subarray(end + 1);
      this.pass(line);
    }
  }

  private passes(): boolean {
    return !this.ended && !this.frozen;
  }

  private pass(line: Buffer): void {
    const { fault } = this;
    if (fault?.kind === 'CutMidLine' && this.events === fault.afterEvents) {
      this.endWith(line.subarray(0, line.length >> 1), fault.end ?? 'Abrupt');
      return;
    }
    this.events += 1;
    if (!this.client.write(line)) this.answer.pause();
    this.harmAfterEvent();
  }

  private harmAfterEvent(): void {
    const { fault } = this;
    if (!fault || !('afterEvents' in fault) || fault.afterEvents !== this.events) return;
    if (fault.kind === 'ExpireInStream') this.expire();
    if (fault.kind === 'StallWatch') this.freeze();
    if (fault.kind === 'BadLine') this.client.write('{"type":"MODIFIED","object":{"kind":}}\n');
  }

  private endWith(last: string | Buffer, how: 'Abrupt' | 'Clean'): void {
    if (this.ended) return;
    this.ended = true;
    this.answer.destroy();
    if (how === 'Clean') {
      this.client.end(last);
      return;
    }
    this.client.write(last, () => setTimeout(() => this.client.socket?.destroy(), FLUSH_MS));
  }
}
