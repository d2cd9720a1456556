import { describe, expect, it } from '@jest/globals';
import { Channels, type ChannelEvents } from '../../../src/protocol/channels/channels.js';
import { MAX_PLAINTEXT_BYTES } from '../../../src/protocol/channels/plaintext-size.js';

const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };
const channelsOf = (): Channels => new Channels(SILENT, { callMode: 'wideband' });

/** What an observer sees of a message: lengths of the datagrams that carry it, and when and how long the answer is. */
interface Seen {
  readonly lengths: readonly number[];
  readonly answerAfterMs: number;
  readonly answerBytes: number;
}

/** Sends one message at 1,000 ms; it arrives at once, and is answered when the receiver says that it is time. */
function sees(channel: 'chat' | 'input', bytes: Uint8Array): Seen {
  const [sender, receiver] = [channelsOf(), channelsOf()];
  const out = new Uint8Array(MAX_PLAINTEXT_BYTES);
  const lengths: number[] = [];
  let nowMs = 1_000;
  sender.send(channel, bytes);
  for (let sent = 0; sent < 64; sent++) {
    const length = sender.nextPlaintext(nowMs, out);
    if (length === 0) break;
    lengths.push(length);
    receiver.onPlaintext(out.slice(0, length), nowMs);
  }
  const arrivedMs = nowMs;
  expect(receiver.nextPlaintext(nowMs, out)).toBe(0);
  nowMs = receiver.nextDeadlineMs(nowMs);
  return {
    lengths,
    answerAfterMs: nowMs - arrivedMs,
    answerBytes: receiver.nextPlaintext(nowMs, out),
  };
}

/** Bytes that no compressor makes shorter; the same in each run. */
const noise = (length: number): Uint8Array => {
  let state = 7;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
};

describe('the acknowledgement of a message', () => {
  it('T43: comes after the same time and has the same length, whatever a message of one datagram says', () => {
    const answers = new Set<string>();
    for (const channel of ['chat', 'input'] as const)
      for (let length = 1; length <= 1_100; length += 7)
        for (const bytes of [new Uint8Array(length), noise(length)]) {
          const { answerAfterMs, answerBytes } = sees(channel, bytes);
          answers.add(`${answerAfterMs} ms, ${answerBytes} bytes`);
        }
    expect([...answers]).toEqual(['1 ms, 256 bytes']);
  });
});

describe('a message', () => {
  it('T43: is as long as its length says, however well it could be compressed', () => {
    for (let length = 1; length <= 3_000; length += 97)
      expect(sees('chat', new Uint8Array(length)).lengths).toEqual(
        sees('chat', noise(length)).lengths,
      );
    expect(sees('chat', noise(3_000)).lengths.length).toBeGreaterThan(2);
  });
});
