import { describe, expect, it } from '@jest/globals';
import { MMSG, MMSG_BYTES } from './native-layout.js';
import { SendVector } from './send-vector.js';

const BASE = 0x7f00_0000_1000;

class Queue {
  readonly vector = new SendVector(256, 16);
  #next = 1;

  constructor() {
    this.vector.locate(BASE);
  }

  /** Queues a burst to a destination; it lies at the next address. */
  add(to: number, length: number, segment = length): this {
    this.vector.name.set([to, to, 0, 0, 0, 0, 0]);
    this.vector.add(this.#next++, length, segment);
    return this;
  }

  /** What the kernel would read: per message its destination, the segment size, and its parts as ADDRESS:LENGTH. */
  read(): string[] {
    const words = new Uint32Array(this.vector.bytes.buffer);
    const pointer = (at: number) => ((words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32 - BASE) / 4;
    this.vector.seal();
    return Array.from({ length: this.vector.messages }, (_, i) => {
      const header = (i * MMSG_BYTES) / 4;
      const iov = pointer(header + MMSG.iov);
      const parts = Array.from({ length: words[header + MMSG.iovLength]! }, (_, part) => {
        const at = iov + part * 4;
        return `${words[at]}:${words[at + 2]}`;
      });
      const control = pointer(header + MMSG.control);
      const cut = words[header + MMSG.controlLength] === 0 ? 0 : words[control + 4];
      return `to ${words[pointer(header + MMSG.name)]} cut ${cut} ${parts.join(' ')}`;
    });
  }
}

describe('datagrams that wait to be sent', () => {
  it('are joined by destination and size, those of one destination in order', () => {
    const queue = new Queue()
      .add(1, 100)
      .add(2, 100)
      .add(1, 100)
      .add(3, 70)
      .add(2, 100)
      .add(1, 100);
    expect(queue.read()).toEqual([
      'to 1 cut 100 1:100 3:100 6:100',
      'to 2 cut 100 2:100 5:100',
      'to 3 cut 0 4:70',
    ]);
  });

  it('are not joined past a shorter or longer one: what comes later goes later', () => {
    const queue = new Queue()
      .add(1, 100)
      .add(1, 60)
      .add(1, 100)
      .add(1, 100)
      .add(1, 120)
      .add(1, 100);
    expect(queue.read()).toEqual([
      'to 1 cut 100 1:100 2:60',
      'to 1 cut 100 3:100 4:100',
      'to 1 cut 120 5:120 6:100',
    ]);
  });

  it('keep the cuts of bursts: two of half the size are not taken for one', () => {
    const queue = new Queue()
      .add(1, 100)
      .add(1, 100, 50)
      .add(1, 150, 50)
      .add(1, 120, 50)
      .add(1, 50);
    expect(queue.read()).toEqual([
      'to 1 cut 0 1:100',
      'to 1 cut 50 2:100 3:150 4:120',
      'to 1 cut 0 5:50',
    ]);
  });

  it('make messages of at most 64 datagrams and 65,000 bytes', () => {
    const small = new Queue();
    for (let i = 0; i < 65; i++) small.add(1, 20);
    expect([small.vector.messages, small.vector.datagramsOf(0)]).toEqual([2, 64]);
    const large = new Queue();
    for (let i = 0; i < 44; i++) large.add(1, 1_500);
    expect([large.vector.messages, large.vector.datagramsOf(0)]).toEqual([2, 43]);
  });

  it('are given one by one, with the destination, when the kernel takes no burst', () => {
    const { vector } = new Queue().add(7, 100, 40).add(8, 9).add(7, 40);
    const seen: string[] = [];
    vector.forEachDatagram(0, (address, length) => seen.push(`${address}:${length}`));
    const name = new Uint32Array(7);
    vector.copyNameOf(0, name);
    expect([seen, name[0], vector.datagramsOf(0)]).toEqual([['1:40', '41:40', '81:20'], 7, 3]);
    expect(vector.messages).toBe(3);
  });

  it('are gone after clear, and nothing of the next batch follows them', () => {
    const queue = new Queue().add(1, 100).add(2, 100);
    queue.vector.clear();
    expect(queue.add(2, 100).add(1, 100).read()).toEqual(['to 2 cut 0 3:100', 'to 1 cut 0 4:100']);
  });

  it('go out singly once joining is off', () => {
    const queue = new Queue();
    queue.vector.joins = false;
    expect(queue.add(1, 100).add(1, 100).read()).toHaveLength(2);
  });
});
