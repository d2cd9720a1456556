import {
  ACK_FIXED_BYTES,
  CALL_HEADER_BYTES,
  CONTROL_HEADER_BYTES,
  FRAME,
  HEADER_BYTES,
  RELIABLE_CHANNELS,
  writeU16,
  writeU32,
  writeU48,
  type ReliableChannel,
} from './frame.js';
import { MAX_PLAINTEXT_BYTES, paddedSize } from './plaintext-size.js';
import type { Inbox } from './plaintext-reader.js';
import type { SegmentSender } from './segment-sender.js';
import { MAX_SEGMENTS_PER_PACKET } from './sent-packets.js';
import type { Transmission } from './transmission.js';

/** What is there to send. The queues are emptied by the builder. */
export interface Outbox {
  readonly senders: Readonly<Record<ReliableChannel, SegmentSender>>;
  readonly transmission: Transmission;
  readonly inbox: Inbox;
  readonly control: Uint8Array[];
  readonly calls: Uint8Array[];
  readonly callSizes: readonly number[];
}

/** A plaintext in the making. */
interface Draft {
  readonly out: Uint8Array;
  readonly nowMs: number;
  at: number;
  segments: number[];
  numbered: boolean;
}

/**
 * Decides what goes next: control, input, call, chat, file, the first that may. Input and control never wait for
 * pacing; call frames wait for nothing. An ACK rides with whatever goes, and goes alone when it is due.
 */
export class PlaintextBuilder {
  readonly #outbox: Outbox;
  #callSequence = 0;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Whether the peer's application lacks anything that was sent. */
  get isUnconfirmed(): boolean {
    const { chat, file, input } = this.#outbox.senders;
    return chat.isWaiting || file.isWaiting || input.isWaiting;
  }

  /** Writes the next plaintext to `out` and gives its length; 0 if none goes now. */
  build(nowMs: number, out: Uint8Array): number {
    const { transmission, control, calls, inbox } = this.#outbox;
    if (control.length > 0 || this.#inputMayGo()) return this.#buildSmall(nowMs, out, false);
    const call = calls.shift();
    if (call) return this.#buildCall(call, nowMs, out);
    if (transmission.probeDue) return this.#buildProbe(nowMs, out);
    if (this.#bulkMayGo() && transmission.bulkAtMs(nowMs) <= nowMs) {
      const isChat = this.#outbox.senders.chat.hasSegment;
      return isChat ? this.#buildSmall(nowMs, out, true) : this.#buildFile(nowMs, out);
    }
    return inbox.received.ackAtMs <= nowMs ? this.#buildSmall(nowMs, out, false) : 0;
  }

  /** When `build` has something again if nothing comes before. */
  nextDeadlineMs(nowMs: number): number {
    const { transmission, control, calls, inbox } = this.#outbox;
    if (control.length > 0 || calls.length > 0 || transmission.probeDue || this.#inputMayGo())
      return nowMs;
    return Math.min(
      inbox.received.ackAtMs,
      transmission.deadlineMs(this.isUnconfirmed),
      this.#bulkMayGo() ? transmission.bulkAtMs(nowMs) : Infinity,
    );
  }

  #inputMayGo(): boolean {
    const { senders, transmission } = this.#outbox;
    return senders.input.hasSegment && transmission.hasWindow('input');
  }

  #bulkMayGo(): boolean {
    return this.#hasBulk() && this.#outbox.transmission.hasWindow('bulk');
  }

  #hasBulk(): boolean {
    const { senders } = this.#outbox;
    return senders.chat.hasSegment || senders.file.hasSegment;
  }

  #buildCall(data: Uint8Array, nowMs: number, out: Uint8Array): number {
    const end = HEADER_BYTES + CALL_HEADER_BYTES + data.length;
    const size = paddedSize(end, this.#outbox.callSizes);
    out.fill(0, 0, size);
    out[HEADER_BYTES] = FRAME.call;
    writeU32(out, HEADER_BYTES + 1, this.#callSequence);
    this.#callSequence = (this.#callSequence + 1) % 2 ** 32;
    writeU16(out, HEADER_BYTES + 5, data.length);
    out.set(data, HEADER_BYTES + CALL_HEADER_BYTES);
    this.#outbox.transmission.sentUnnumbered(size, nowMs);
    return size;
  }

  /** Control, ACK, input, chat, as far as they fit; in the first size that holds them. */
  #buildSmall(nowMs: number, out: Uint8Array, chat: boolean): number {
    const draft = newDraft(out, nowMs);
    this.#addControl(draft);
    if (this.#outbox.inbox.received.hasNews) this.#addAck(draft);
    if (this.#inputMayGo()) this.#addSegments(draft, 'input');
    if (chat) this.#addSegments(draft, 'chat');
    return this.#finish(draft, paddedSize(draft.at));
  }

  #buildFile(nowMs: number, out: Uint8Array): number {
    const draft = newDraft(out, nowMs);
    this.#addSegments(draft, 'file');
    this.#addFittingAck(draft);
    return this.#finish(draft, MAX_PLAINTEXT_BYTES);
  }

  /** What is most urgent of what was not acknowledged, or a PING: the answer tells what arrived. */
  #buildProbe(nowMs: number, out: Uint8Array): number {
    const draft = newDraft(out, nowMs);
    if (this.#outbox.inbox.received.hasNews) this.#addAck(draft);
    const { senders } = this.#outbox;
    const channel = (['input', 'chat', 'file'] as const).find((name) => senders[name].hasSegment);
    if (channel) this.#addSegments(draft, channel);
    if (draft.segments.length === 0) {
      draft.numbered = true;
      out[draft.at++] = FRAME.ping;
    }
    const isFile = channel === 'file' && draft.segments.length > 0;
    return this.#finish(draft, isFile ? MAX_PLAINTEXT_BYTES : paddedSize(draft.at));
  }

  #addControl(draft: Draft): void {
    const { control } = this.#outbox;
    for (let data = control[0]; data; data = control[0]) {
      if (draft.at + CONTROL_HEADER_BYTES + data.length > MAX_PLAINTEXT_BYTES) return;
      control.shift();
      draft.out[draft.at] = FRAME.control;
      writeU16(draft.out, draft.at + 1, data.length);
      draft.out.set(data, draft.at + CONTROL_HEADER_BYTES);
      draft.at += CONTROL_HEADER_BYTES + data.length;
    }
  }

  #addSegments(draft: Draft, channel: ReliableChannel): void {
    const sender = this.#outbox.senders[channel];
    const code = RELIABLE_CHANNELS.indexOf(channel) + 1;
    while (draft.segments.length < MAX_SEGMENTS_PER_PACKET && sender.hasSegment) {
      const bytes = sender.frameBytes;
      if (draft.at + bytes > MAX_PLAINTEXT_BYTES) return;
      draft.segments.push(sender.write(draft.out, draft.at) * 4 + code);
      draft.numbered = true;
      draft.at += bytes;
    }
  }

  /** With the first `ACK` bytes of room; a full datagram of data has none. */
  #addFittingAck(draft: Draft): void {
    const { received } = this.#outbox.inbox;
    if (received.hasNews && draft.at + 2 * ACK_FIXED_BYTES <= MAX_PLAINTEXT_BYTES)
      this.#addAck(draft);
  }

  #addAck(draft: Draft): void {
    if (draft.at + ACK_FIXED_BYTES > MAX_PLAINTEXT_BYTES) return;
    const { received, receivers } = this.#outbox.inbox;
    const consumed = RELIABLE_CHANNELS.map((channel) => receivers[channel].consumed);
    draft.at = received.writeAck(draft.out, draft.at, MAX_PLAINTEXT_BYTES, {
      nowMs: draft.nowMs,
      consumed,
    });
  }

  #finish(draft: Draft, size: number): number {
    const { transmission } = this.#outbox;
    const { out, nowMs } = draft;
    out.fill(0, draft.at, size);
    out.fill(0, 0, HEADER_BYTES);
    if (!draft.numbered) {
      transmission.sentUnnumbered(size, nowMs);
      return size;
    }
    const packet = transmission.packets.next;
    out[0] = 1;
    writeU48(out, 1, packet);
    writeU16(out, 7, packet - transmission.packets.oldest);
    transmission.sentNumbered(size, draft.segments, { nowMs, bulk: this.#hasBulk() });
    return size;
  }
}

const newDraft = (out: Uint8Array, nowMs: number): Draft => ({
  out,
  nowMs,
  at: HEADER_BYTES,
  segments: [],
  numbered: false,
});
