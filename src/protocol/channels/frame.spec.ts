import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../test/faults/link.js';
import { Channels, type ChannelEvents } from './channels.js';
import { readU48, refusePlaintext, writeU48, type PlaintextRefusal } from './frame.js';

const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };
const aChannels = (events: Partial<ChannelEvents> = {}) =>
  new Channels({ ...SILENT, ...events }, { callMode: 'narrowband' });

/** The bytes of `text`, spaces ignored, filled up with zeros to `size`. */
function hex(text: string, size = 256): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(Buffer.from(text.replaceAll(' ', ''), 'hex'));
  return bytes;
}

function next(channels: Channels, nowMs = 0): Uint8Array {
  const out = new Uint8Array(1180).fill(0xee);
  return out.slice(0, channels.nextPlaintext(nowMs, out));
}

const HI = '6869';

describe('a plaintext', () => {
  it.each([
    ['chat', `01 000000000000 0000  03 01 000000000000 0000 0001 0002 ${HI}`, 256],
    ['input', `01 000000000000 0000  03 03 000000000000 0000 0001 0002 ${HI}`, 256],
    ['file', `01 000000000000 0000  03 02 000000000000 0000 0001 0002 ${HI}`, 1180],
    ['control', `00 000000000000 0000  02 0002 ${HI}`, 256],
    ['call', `00 000000000000 0000  04 00000000 0002 ${HI}`, 80],
  ] as const)('of %s has these bytes, and gives the message back', (channel, wire, size) => {
    const sender = aChannels();
    sender.send(channel, hex(HI, 2));
    const plaintext = next(sender);
    expect(plaintext).toEqual(hex(wire, size));
    const got: unknown[] = [];
    const receiver = aChannels({ message: (name, bytes) => got.push([name, bytes]) });
    expect(receiver.onPlaintext(plaintext, 1)).toBeUndefined();
    expect(got).toEqual([[channel, hex(HI, 2)]]);
  });

  it('that acknowledges has these bytes: delay, largest, consumed, ranges', () => {
    const receiver = aChannels();
    const chat = (packet: string, sequence: string) =>
      hex(`01 0000000000${packet} 00${packet} 03 01 0000000000${sequence} 0000 0001 0002 ${HI}`);
    for (const number of ['00', '02', '03']) receiver.onPlaintext(chat(number, number), 10);
    expect(next(receiver, 10.5)).toEqual(new Uint8Array());
    expect(next(receiver, 11)).toEqual(
      hex(
        '00 000000000000 0000' +
          '01 0064 000000000003  000000000001 000000000000 000000000000  01 0001  01 0001',
      ),
    );
  });

  it.each<[string, Uint8Array, PlaintextRefusal]>([
    ['nothing', hex('', 0), 'size'],
    ['a header cut short', hex('00', 8), 'size'],
    ['one byte more than fits', hex('', 1181), 'size'],
    ['a length between two sizes', hex('', 300), 'size'],
    ['a call frame of a length that no mode has', hex(`00 00000000000000 00 04`, 256), 'size'],
    ['an unknown form', hex('02'), 'form'],
    ['an unnumbered one with a number', hex('00 000000000001 0000'), 'packet-number'],
    ['a span that begins before packet 0', hex('01 000000000001 0002'), 'packet-number'],
    ['an unknown frame', hex('00 000000000000 0000 06'), 'frame-type'],
    ['a call frame behind another', hex('00 000000000000 0000 02 0000 04'), 'frame-type'],
    ['a numbered call frame', hex('01 000000000000 0000 04', 80), 'form'],
    ['a segment that is not numbered', hex('00 000000000000 0000 03'), 'form'],
    ['bytes in the padding', hex('00 000000000000 0000 00 01'), 'padding'],
    ['control data beyond the end', hex('00 000000000000 0000 02 00f5'), 'truncated'],
    ['call data beyond the end', hex('00 000000000000 0000 04 00000000 0041', 80), 'truncated'],
    ['channel 0', hex('01 000000000000 0000 03 00'), 'channel'],
    ['channel 4', hex('01 000000000000 0000 03 04'), 'channel'],
    [
      'a gap of nothing',
      hex('00 000000000000 0000 01 0000 000000000009' + '00'.repeat(18) + '01 0000 00 0001'),
      'ack-ranges',
    ],
    [
      'ranges below packet 0',
      hex('00 000000000000 0000 01 0000 000000000002' + '00'.repeat(18) + '01 0000 01 0002'),
      'ack-ranges',
    ],
  ])('is refused: %s', (_, bytes, refusal) => {
    expect(refusePlaintext(bytes)).toBe(refusal);
  });

  it.each<[string, string, PlaintextRefusal]>([
    ['index = total', '03 01 000000000000 0001 0001 0000', 'segment-index'],
    ['a total of 0', '03 01 000000000000 0000 0000 0000', 'segment-index'],
    ['a total of 65,535', '03 02 000000000000 0000 ffff 0000', 'segment-index'],
    ['two segments for one input', '03 03 000000000000 0000 0002 0485', 'segment-index'],
    ['a piece shorter than the others', '03 02 000000000000 0000 0002 0484', 'segment-length'],
    ['a length that no segment has', '03 02 000000000000 0000 0001 0486', 'segment-length'],
  ])('T42: is refused: a segment with %s', (_, segment, refusal) => {
    expect(refusePlaintext(hex(`01 000000000000 0000 ${segment}`, 1180))).toBe(refusal);
  });

  it('holds whole numbers to 2^48', () => {
    const bytes = new Uint8Array(6);
    for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
      writeU48(bytes, 0, value);
      expect(readU48(bytes, 0)).toBe(value);
    }
  });
});

describe('20,000 plaintexts changed at random', () => {
  it('are refused or taken, never thrown at, and leave the endpoint whole', () => {
    const random = seededRandom(4);
    const below = (limit: number) => Math.floor(random() * limit);
    const refusals = new Map<string, number>();
    const attacker = aChannels();
    const victim = aChannels();
    let taken = 0;
    for (let i = 0; i < 20_000; i++) {
      if (i % 7 === 0) attacker.send('control', new Uint8Array(below(900)));
      else if (i % 7 < 4 && attacker.isWritable('chat'))
        attacker.send('chat', new Uint8Array(below(3000)));
      else attacker.send('call', new Uint8Array(below(60)));
      let bytes: Uint8Array = next(attacker, i);
      for (let flips = below(4); flips > 0 && bytes.length > 0; flips--)
        bytes[below(Math.min(bytes.length, 50))] = below(256);
      if (below(10) === 0) bytes = bytes.subarray(0, below(bytes.length));
      const refusal = victim.onPlaintext(bytes, i);
      if (refusal) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
      else taken++;
      victim.nextPlaintext(i, new Uint8Array(1180));
    }
    expect(taken + [...refusals.values()].reduce((sum, count) => sum + count, 0)).toBe(20_000);
    expect(refusals.size).toBeGreaterThanOrEqual(8);
    const got: number[] = [];
    const whole = aChannels({ message: (_, bytes) => got.push(bytes.length) });
    whole.onPlaintext(hex(`00 000000000000 0000 02 0002 ${HI}`), 1);
    expect(got).toEqual([2]);
  });
});
