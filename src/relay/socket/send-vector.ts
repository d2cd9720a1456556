/*
 * Messages for sendmmsg(2), in the order in which they are to be sent. Datagrams of one size to one destination are
 * joined into one message with several iovecs and UDP_SEGMENT: the kernel then walks its stack once for all of them.
 * Only the newest message to a destination is ever continued, so what goes to one place stays in order; what goes to
 * different places may change order among itself, as on any network.
 *
 * One buffer, layouts as in native-layout.ts:
 *
 * | bytes          | content                                                        |
 * |----------------|----------------------------------------------------------------|
 * | 64 per message | struct mmsghdr                                                 |
 * | 32 per message | name                                                           |
 * | 32 per message | control message with the segment size                          |
 * | 16 per part    | struct iovec, in the order in which the parts came             |
 * | 16 per part    | struct iovec, by message: used if parts of a message lie apart |
 */
import { mix } from '../sessions/address-limiter.js';
import {
  IOV_BYTES,
  MMSG,
  MMSG_BYTES,
  NAME_BYTES,
  SEGMENT_CMSG,
  SOCKET,
  setPointer,
} from './native-layout.js';

/** Segments of one message: what every kernel since UDP_SEGMENT takes. */
const MAX_SEGMENTS = 64;
/** Bytes of one message: with all headers it is still an IP packet before it is cut. */
const MAX_BYTES = 65_000;
const CONTROL_BYTES = 32;
/** Places of destinations, a power of two. Two that meet in one are not joined, nothing worse. */
const PLACES = 512;
const NONE = -1;
/** Words of a sockaddr_in6. */
const NAME_WORDS = 7;

/** Memory for messages to be sent, and what is in it. */
export class SendVector {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether datagrams are joined. */
  joins = true;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #at: { names: number; control: number; parts: number; sorted: number };
  /** Per message: size of its segments, all bytes, first and last part, and whether another may follow. */
  readonly #size: Int32Array;
  readonly #length: Int32Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #open: Uint8Array;
  /** Per part: the next one of its message. */
  readonly #next: Int32Array;
  readonly #places = new Int32Array(PLACES).fill(NONE);
  /** Name of the datagram at hand. */
  readonly #name = new Uint32Array(NAME_WORDS);
  #base = 0;
  #messages = 0;
  #parts = 0;
  #apart = false;

  /** Room for `capacity` parts, and for as many messages. Names have `nameBytes` bytes. */
  constructor(
    readonly capacity: number,
    private readonly nameBytes: number,
  ) {
    const names = capacity * MMSG_BYTES;
    const control = names + capacity * NAME_BYTES;
    const parts = control + capacity * CONTROL_BYTES;
    const sorted = parts + capacity * IOV_BYTES;
    this.#at = { names, control, parts, sorted };
    this.bytes = new Uint8Array(new ArrayBuffer(sorted + capacity * IOV_BYTES));
    this.#words = new Uint32Array(this.bytes.buffer);
    this.#size = new Int32Array(capacity);
    this.#length = new Int32Array(capacity);
    this.#first = new Int32Array(capacity);
    this.#last = new Int32Array(capacity);
    this.#open = new Uint8Array(capacity);
    this.#next = new Int32Array(capacity);
  }

  /** Writes the pointers that never change; `base` is where `bytes` lie in memory, which is where they stay. */
  locate(base: number): void {
    this.#base = base;
    for (let i = 0; i < this.capacity; i++) {
      const header = (i * MMSG_BYTES) >>> 2;
      const control = (this.#at.control + i * CONTROL_BYTES) >>> 2;
      setPointer(this.#words, header + MMSG.name, base + this.#at.names + i * NAME_BYTES);
      this.#words[header + MMSG.nameLength] = this.nameBytes;
      setPointer(this.#words, header + MMSG.control, base + control * 4);
      this.#words[control] = SEGMENT_CMSG.length;
      this.#words[control + 2] = SOCKET.SOL_UDP;
      this.#words[control + 3] = SOCKET.UDP_SEGMENT;
    }
  }

  /** Messages so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Whether there is no room for another part. */
  get isFull(): boolean {
    return this.#parts === this.capacity;
  }

  /** The name of the next datagram, seven words to be written before `add`. */
  get name(): Uint32Array {
    return this.#name;
  }

  /** Takes datagrams of `segment` bytes, the last one perhaps shorter, that lie at `address`. The caller looks at `isFull`. */
  add(address: number, length: number, segment: number): void {
    const part = this.#parts++;
    const iov = (this.#at.parts + part * IOV_BYTES) >>> 2;
    setPointer(this.#words, iov, address);
    this.#words[iov + 2] = length;
    this.#next[part] = NONE;
    const name = this.#name;
    const place = mix((name[0] ?? 0) ^ mix((name[1] ?? 0) ^ (name[5] ?? 0))) & (PLACES - 1);
    const newest = this.#places[place] ?? NONE;
    const size = Math.min(segment, length);
    if (this.joins && this.#continues(newest, length, size)) {
      this.#append(newest, part, length);
      return;
    }
    this.#places[place] = this.#messages;
    this.#begin(part, length, size);
  }

  /** Sets what the kernel reads; gives the address of the first header. */
  seal(): number {
    for (let i = 0; i < this.#messages; i++) {
      const header = (i * MMSG_BYTES) >>> 2;
      const cut = this.segmentOf(i);
      this.#words[header + MMSG.controlLength] = cut === 0 ? 0 : SEGMENT_CMSG.space;
      if (cut > 0) this.#words[((this.#at.control + i * CONTROL_BYTES) >>> 2) + 4] = cut;
    }
    if (this.#apart) this.#sort();
    return this.#base;
  }

  /** Address of the header of message `i`. */
  headerAddress(i: number): number {
    return this.#base + i * MMSG_BYTES;
  }

  /** Bytes of each datagram of message `i` but the last; 0 if it is one datagram. */
  segmentOf(i: number): number {
    const size = this.#size[i] ?? 0;
    return (this.#length[i] ?? 0) > size ? size : 0;
  }

  /** Datagrams of message `i`. */
  datagramsOf(i: number): number {
    return Math.ceil((this.#length[i] ?? 0) / Math.max(this.#size[i] ?? 0, 1));
  }

  /** Calls `each` with address and length of every datagram of message `i`. */
  forEachDatagram(i: number, each: (address: number, length: number) => void): void {
    const size = this.#size[i] ?? 0;
    for (let part = this.#first[i] ?? NONE; part !== NONE; part = this.#next[part] ?? NONE) {
      const iov = (this.#at.parts + part * IOV_BYTES) >>> 2;
      const address = (this.#words[iov] ?? 0) + (this.#words[iov + 1] ?? 0) * 0x1_0000_0000;
      const length = this.#words[iov + 2] ?? 0;
      for (let at = 0; at < length; at += size) each(address + at, Math.min(size, length - at));
    }
  }

  /** Copies the seven words of the name of message `i`. */
  copyNameOf(i: number, to: Uint32Array): void {
    const at = this.#nameAt(i);
    to.set(this.#words.subarray(at, at + NAME_WORDS));
  }

  /** Forgets all messages. */
  clear(): void {
    this.#messages = 0;
    this.#parts = 0;
    this.#apart = false;
  }

  #begin(part: number, length: number, size: number): void {
    const i = this.#messages++;
    const header = (i * MMSG_BYTES) >>> 2;
    const at = this.#nameAt(i);
    for (let word = 0; word < NAME_WORDS; word++) this.#words[at + word] = this.#name[word] ?? 0;
    setPointer(this.#words, header + MMSG.iov, this.#base + this.#at.parts + part * IOV_BYTES);
    this.#words[header + MMSG.iovLength] = 1;
    this.#size[i] = size;
    this.#length[i] = length;
    this.#first[i] = part;
    this.#last[i] = part;
    this.#open[i] = length % size === 0 ? 1 : 0;
  }

  /** Whether these datagrams may follow those of message `i`: same place, and no shorter one before the last. */
  #continues(i: number, length: number, size: number): boolean {
    if (i === NONE || i >= this.#messages || this.#open[i] === 0) return false;
    const whole = this.#size[i] ?? 0;
    // Shorter than the rest may be the last datagram only.
    if (size !== whole && (length !== size || size > whole)) return false;
    const all = (this.#length[i] ?? 0) + length;
    return all <= Math.min(MAX_BYTES, whole * MAX_SEGMENTS) && this.#isNameOf(i);
  }

  #isNameOf(i: number): boolean {
    const at = this.#nameAt(i);
    for (let word = 0; word < NAME_WORDS; word++)
      if (this.#words[at + word] !== this.#name[word]) return false;
    return true;
  }

  #append(i: number, part: number, length: number): void {
    const last = this.#last[i] ?? 0;
    if (last !== part - 1) this.#apart = true;
    this.#next[last] = part;
    this.#last[i] = part;
    const all = (this.#length[i] ?? 0) + length;
    this.#length[i] = all;
    this.#open[i] = all % (this.#size[i] ?? 1) === 0 ? 1 : 0;
    const header = (i * MMSG_BYTES) >>> 2;
    this.#words[header + MMSG.iovLength] = (this.#words[header + MMSG.iovLength] ?? 0) + 1;
  }

  /** Writes the iovecs once more, those of one message behind each other. */
  #sort(): void {
    const words = this.#words;
    let to = this.#at.sorted >>> 2;
    for (let i = 0; i < this.#messages; i++) {
      setPointer(words, ((i * MMSG_BYTES) >>> 2) + MMSG.iov, this.#base + to * 4);
      for (let part = this.#first[i] ?? NONE; part !== NONE; part = this.#next[part] ?? NONE) {
        const from = (this.#at.parts + part * IOV_BYTES) >>> 2;
        words[to] = words[from] ?? 0;
        words[to + 1] = words[from + 1] ?? 0;
        words[to + 2] = words[from + 2] ?? 0;
        to += IOV_BYTES / 4;
      }
    }
  }

  #nameAt(i: number): number {
    return (this.#at.names + i * NAME_BYTES) >>> 2;
  }
}
