import { describe, expect, it } from '@jest/globals';
import { Channels, ChannelFullError, maxMessageBytes, type ChannelEvents } from './channels.js';
import { SEGMENT_DATA_BYTES } from './frame.js';

const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };

interface End {
  readonly channels: Channels;
  readonly log: string[];
}

function anEnd(): End {
  const log: string[] = [];
  const channels = new Channels(
    {
      message: (channel, bytes) => log.push(`${channel} ${bytes.length}`),
      acknowledged: (channel, id) => log.push(`acknowledged ${channel} ${id}`),
      writable: (channel) => log.push(`writable ${channel}`),
    },
    { callMode: 'wideband' },
  );
  return { channels, log };
}

/** Everything that `end` sends at `nowMs`, at most 10,000 plaintexts. */
function drain(end: End, nowMs: number): Uint8Array[] {
  const out = new Uint8Array(1180);
  const sent: Uint8Array[] = [];
  while (sent.length < 10_000) {
    const length = end.channels.nextPlaintext(nowMs, out);
    if (length === 0) break;
    sent.push(out.slice(0, length));
  }
  return sent;
}

/** Moves everything both ways in steps of 2 ms, without loss. */
function talk(a: End, b: End, fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 2) {
    for (const bytes of drain(a, nowMs)) b.channels.onPlaintext(bytes, nowMs + 1);
    for (const bytes of drain(b, nowMs + 1)) a.channels.onPlaintext(bytes, nowMs + 2);
  }
}

const HEADER = '01 0000000000NN 00NN';
/** A numbered plaintext with one segment, filled up to `size`. */
function segment(packet: number, frame: string, size = 256): Uint8Array {
  const bytes = new Uint8Array(size);
  const number = packet.toString(16).padStart(2, '0');
  bytes.set(Buffer.from(`${HEADER}${frame}`.replaceAll('NN', number).replaceAll(' ', ''), 'hex'));
  return bytes;
}

describe('channels with something on each', () => {
  it('send control and input first, then calls, then chat, then the file', () => {
    const end = anEnd();
    for (const channel of ['file', 'chat', 'call', 'input', 'control'] as const)
      end.channels.send(channel, new Uint8Array(8));
    const frames = drain(end, 0).map((bytes) => [bytes[9], bytes[9] === 3 ? bytes[10] : 0]);
    // Control and input ride in one datagram: its first frame is the control message.
    expect(frames.slice(0, 3)).toEqual([
      [2, 0],
      [4, 0],
      [3, 1],
    ]);
    const later = [50, 100, 150].flatMap((nowMs) => drain(end, nowMs));
    expect([...frames, ...later.map((bytes) => [bytes[9], bytes[10]])]).toContainEqual([3, 2]);
  });

  it('let input and call frames go while a file fills the path', () => {
    const end = anEnd();
    for (let i = 0; i < 20; i++) end.channels.send('file', new Uint8Array(100_000));
    for (let nowMs = 0; nowMs < 200; nowMs += 10) drain(end, nowMs);
    expect(drain(end, 200)).toEqual([]);
    end.channels.send('input', new Uint8Array(8));
    end.channels.send('call', new Uint8Array(8));
    expect(drain(end, 200).map((bytes) => bytes.length)).toEqual([256, 160]);
  });

  it('say when to ask again: now, at a time, or never', () => {
    const end = anEnd();
    expect(end.channels.nextDeadlineMs(5)).toBe(Infinity);
    end.channels.send('input', new Uint8Array(8));
    expect(end.channels.nextDeadlineMs(5)).toBeLessThanOrEqual(5);
    drain(end, 5);
    const deadline = end.channels.nextDeadlineMs(5);
    expect(deadline).toBeGreaterThan(5);
    expect(deadline).toBeLessThan(2_000);
  });
});

describe('a message that arrived', () => {
  it('is acknowledged once the peer was given it, not before', () => {
    const [a, b] = [anEnd(), anEnd()];
    b.channels.pause('chat');
    a.channels.send('chat', new Uint8Array(10));
    talk(a, b, 0, 100);
    expect([a.log, b.log]).toEqual([[], []]);
    b.channels.resume('chat', 100);
    talk(a, b, 100, 110);
    expect([a.log, b.log]).toEqual([['acknowledged chat 0'], ['chat 10']]);
  });

  it('is acknowledged although the answer to resume was lost: the sender asks again', () => {
    const [a, b] = [anEnd(), anEnd()];
    b.channels.pause('chat');
    a.channels.send('chat', new Uint8Array(10));
    talk(a, b, 0, 100);
    b.channels.resume('chat', 100);
    expect(drain(b, 100).length).toBe(1);
    talk(a, b, 102, 3_000);
    expect(a.log).toEqual(['acknowledged chat 0']);
    expect(a.channels.bufferedBytes('chat')).toBe(0);
    expect(a.channels.nextDeadlineMs(3_000)).toBe(Infinity);
  });
});

describe('a plaintext in a buffer that is used again, as a Buffer of Node', () => {
  it('leaves what was given out and what waits as they were', () => {
    const got: Uint8Array[] = [];
    const channels = new Channels(
      { ...SILENT, message: (_, bytes) => got.push(bytes) },
      { callMode: 'video' },
    );
    const buffer = Buffer.alloc(256);
    for (const frame of [
      '02 0002 0101',
      '03 01 000000000001 0000 0001 0002 0303',
      '03 01 000000000000 0000 0001 0002 0202',
    ]) {
      buffer.set(segment(got.length, frame));
      if (frame.startsWith('03 01 000000000000')) buffer.set([2], 6);
      expect(channels.onPlaintext(buffer, 1)).toBeUndefined();
      buffer.fill(0xee);
    }
    expect(got.map((bytes) => bytes[0])).toEqual([1, 2, 3]);
  });
});

describe('a file to a peer that does not read', () => {
  it('stops at the window, fills the buffer, and goes on when the peer reads', () => {
    const [a, b] = [anEnd(), anEnd()];
    b.channels.pause('file');
    let sent = 0;
    while (a.channels.isWritable('file')) {
      a.channels.send('file', new Uint8Array(200_000));
      sent++;
    }
    expect(() => a.channels.send('file', new Uint8Array(1))).toThrow(ChannelFullError);
    talk(a, b, 0, 4_000);
    expect(b.log).toEqual([]);
    expect(a.channels.bufferedBytes('file')).toBe(sent * 200_000);
    b.channels.resume('file', 4_000);
    talk(a, b, 4_000, 8_000);
    expect(b.log.length).toBe(sent);
    expect(a.log).toContain('writable file');
    expect(a.channels.bufferedBytes('file')).toBe(0);
  });
});

describe('call frames that nobody fetches', () => {
  it('make room for newer ones, and are counted', () => {
    const end = anEnd();
    for (let i = 0; i < 50; i++) end.channels.send('call', Uint8Array.of(i));
    const first = drain(end, 0)[0]!;
    expect(end.channels.droppedCallFrames).toBe(18);
    expect(first[16]).toBe(18);
  });
});

describe('a caller', () => {
  it.each(['control', 'chat', 'file', 'input', 'call'] as const)(
    'that sends too much at once on %s is told at once',
    (channel) => {
      const limit = maxMessageBytes(channel, 'wideband');
      const { channels } = anEnd();
      expect(() => channels.send(channel, new Uint8Array(limit + 1))).toThrow(RangeError);
      channels.send(channel, new Uint8Array(limit));
    },
  );
});

describe('a hostile peer', () => {
  const data = (byte: string) => `0002 ${byte}${byte}`;

  it('T42: that repeats a segment with other bytes is refused, and the first ones stand', () => {
    const got: Uint8Array[] = [];
    const channels = new Channels(
      { ...SILENT, message: (_, bytes) => got.push(bytes) },
      { callMode: 'video' },
    );
    const at = (packet: number, frame: string) => channels.onPlaintext(segment(packet, frame), 1);
    expect(at(0, `03 01 000000000001 0000 0001 ${data('aa')}`)).toBeUndefined();
    expect(at(1, `03 01 000000000001 0000 0001 ${data('bb')}`)).toBe('segment-conflict');
    expect(at(1, `03 01 000000000001 0000 0001 ${data('aa')}`)).toBeUndefined();
    expect(at(2, `03 01 000000000000 0000 0001 ${data('cc')}`)).toBeUndefined();
    expect(got).toEqual([Uint8Array.of(0xcc, 0xcc), Uint8Array.of(0xaa, 0xaa)]);
  });

  it('T42: that changes a message on the way is refused: its total, its index, its neighbours', () => {
    const { channels } = anEnd();
    const at = (packet: number, frame: string) =>
      channels.onPlaintext(segment(packet, frame, 1180), 1);
    const full = SEGMENT_DATA_BYTES.toString(16).padStart(4, '0');
    expect(at(0, `03 01 000000000000 0001 0003 ${full}`)).toBe('segment-inconsistent');
    expect(at(0, `03 01 000000000000 0000 0003 ${full}`)).toBeUndefined();
    expect(at(1, `03 01 000000000001 0001 0004 ${full}`)).toBe('segment-inconsistent');
    expect(at(1, `03 01 000000000001 0000 0001 0000`)).toBe('segment-inconsistent');
    expect(at(1, `03 01 000000000002 0002 0003 0001`)).toBeUndefined();
    expect(at(2, `03 01 000000000001 0001 0004 ${full}`)).toBe('segment-inconsistent');
    expect(at(2, `03 01 000000000001 0001 0003 ${full}`)).toBeUndefined();
  });

  it('T42: whose segments contradict each other in one plaintext is refused', () => {
    const { channels, log } = anEnd();
    const two = `03 01 000000000000 0000 0001 0000  03 01 000000000001 0005 0006 0000`;
    expect(channels.onPlaintext(segment(0, two), 1)).toBe('segment-inconsistent');
    expect(log).toEqual(['chat 0']);
  });

  it('that sends beyond the window, twice, or what is long past, is refused', () => {
    const { channels } = anEnd();
    const at = (bytes: Uint8Array) => channels.onPlaintext(bytes, 1);
    expect(at(segment(0, '03 01 000000000100 0000 0001 0000'))).toBe('beyond-window');
    expect(at(segment(0, '03 01 000000000000 0000 0001 0000'))).toBeUndefined();
    expect(at(segment(0, '03 01 000000000000 0000 0001 0000'))).toBe('duplicate');
    const far = segment(0, '05');
    far.set([0, 0, 0, 1, 0, 0, 0, 0], 1);
    expect(at(far)).toBeUndefined();
    expect(at(segment(5, '05'))).toBe('too-old');
  });

  it('that acknowledges what was never sent is refused', () => {
    const { channels } = anEnd();
    const zeros = '00'.repeat(12);
    expect(
      channels.onPlaintext(segment(0, `01 0000 000000000000 000000000000 ${zeros} 00 0000`), 1),
    ).toBe('ack-of-unsent');
    channels.send('chat', new Uint8Array(1));
    channels.nextPlaintext(1, new Uint8Array(1180));
    expect(
      channels.onPlaintext(segment(0, `01 0000 000000000000 000000000002 ${zeros} 00 0000`), 1),
    ).toBe('ack-of-unsent');
    expect(
      channels.onPlaintext(segment(0, `01 0000 000000000000 000000000001 ${zeros} 00 0000`), 1),
    ).toBeUndefined();
  });
});
