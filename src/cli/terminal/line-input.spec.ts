import { describe, expect, it } from '@jest/globals';
import { LineInput } from './line-input.js';

/** Types `keys` into a new line. */
function typed(keys: string) {
  const line = new LineInput();
  const bytes = Buffer.from(keys);
  const { state, taken } = line.take(bytes);
  return {
    line,
    state,
    rest: bytes.subarray(taken).toString(),
    text: Buffer.from(line.bytes).toString(),
  };
}

describe('a line that is typed', () => {
  it('ends at Enter and leaves what was typed ahead', () => {
    expect(typed('abc\rdef')).toMatchObject({ state: 'line', text: 'abc', rest: 'def' });
    expect(typed('abc\n')).toMatchObject({ state: 'line', text: 'abc' });
    expect(typed('abc')).toMatchObject({ state: 'more', text: 'abc' });
  });

  it('takes back whole characters, and the whole line', () => {
    expect(typed('grüß\u007f\u007fn').text).toBe('grn');
    expect(typed('a€\b\b\bz').text).toBe('z');
    expect(typed('old text\u0015new').text).toBe('new');
  });

  it('is ended by Ctrl-C, and by Ctrl-D when it is empty', () => {
    expect(typed('ab\u0003').state).toBe('interrupted');
    expect(typed('\u0004').state).toBe('ended');
    expect(typed('ab\u0004')).toMatchObject({ state: 'more', text: 'ab' });
  });

  it('knows no arrow or function keys', () => {
    expect(typed('a\u001b[Ab\u001bOPc\u001b[15~d').text).toBe('abcd');
  });

  it('echoes what it shows, and erases it', () => {
    const line = new LineInput();
    line.take(Buffer.from('hi\u007f'));
    expect(line.echo).toEqual([0x68, 0x69, 8, 0x20, 8]);
    const { bytes } = line;
    line.erase();
    expect([...bytes]).toEqual([0]);
    expect(line.bytes).toHaveLength(0);
  });

  it('takes no more than 4,096 bytes', () => {
    expect(typed('x'.repeat(5_000)).text).toHaveLength(4_096);
  });
});
