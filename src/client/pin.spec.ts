import { describe, expect, it } from '@jest/globals';
import { judgeLeaf, requirePins } from './pin.js';

const PIN = `sha256/${'A'.repeat(43)}=`;
const OTHER = `sha256/${'B'.repeat(43)}=`;
const IDENTITY = 'spiffe://test/relay';
const LEAF = { pin: PIN, names: [`URI:${IDENTITY}`], notBeforeMs: 100, notAfterMs: 200 };

describe('a leaf', () => {
  it.each([
    ['ok', 'the expected one', {}, 150],
    ['leaf-not-pinned', 'of another key', { pin: OTHER }, 150],
    ['leaf-other-name', 'of another pool', { names: ['URI:spiffe://test/other'] }, 150],
    ['leaf-other-name', 'with the name as DNS', { names: [`DNS:${IDENTITY}`] }, 150],
    ['leaf-not-yet-valid', 'before its time', {}, 99],
    ['ok', 'at its first moment', {}, 100],
    ['ok', 'in its last millisecond', {}, 199],
    ['leaf-expired', 'at its end', {}, 200],
    ['leaf-expired', 'without readable dates', { notAfterMs: NaN }, 150],
    ['leaf-not-yet-valid', 'without a readable beginning', { notBeforeMs: NaN }, 150],
  ] as const)('is judged %s if it is one %s', (verdict, _, changes, nowMs) => {
    const expected = { pins: [OTHER.replace('B', 'C'), PIN], identity: IDENTITY };
    expect(judgeLeaf({ ...LEAF, ...changes }, expected, nowMs)).toBe(verdict);
  });
});

describe('pins', () => {
  it.each([[[]], [['']], [[PIN, 'sha1/AAAA']], [[PIN.slice(0, -1)]], [[`${PIN}\n`]]])(
    'are refused as %j: without them nobody is trusted',
    (pins) => {
      expect(() => {
        requirePins(pins);
      }).toThrow(expect.objectContaining({ code: 'ERR_ENDPOINT_PIN' }));
    },
  );
});
