import { describe, expect, it } from '@jest/globals';
import { barLine, bytesText, durationText, percent, progressText } from './progress.js';

const half = {
  bytes: 10_000_000,
  totalBytes: 20_000_000,
  bytesPerSecond: 5_000_000,
  secondsLeft: 2,
};

describe('progress', () => {
  it('has rate and time left', () => {
    expect(progressText(half)).toBe(' 50 %  10.0 MB of 20.0 MB  5.0 MB/s  2 s left');
    expect(barLine(half)).toMatch(/^\[#{12}-{12}\]  50 %/);
  });

  it('says nothing of a rate that there is not', () => {
    const begun = { bytes: 0, totalBytes: 20_000_000, bytesPerSecond: 0, secondsLeft: undefined };
    expect(progressText(begun)).toBe('  0 %  0 B of 20.0 MB');
  });

  it('is 100 % when nothing is missing, and not before', () => {
    expect(percent({ ...half, bytes: 19_999_999 })).toBe(99);
    expect(percent({ ...half, bytes: 20_000_000 })).toBe(100);
    expect(percent({ ...half, bytes: 0, totalBytes: 0 })).toBe(100);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [100_000_000, '100.0 MB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [0.4, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3_725, '1 h 02 min'],
  ])('%d s are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
