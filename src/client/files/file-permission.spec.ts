import { describe, expect, it } from '@jest/globals';
import { judgeContent, judgeFile, type FileLimits } from './file-permission.js';

/** As the role file of seed B asks for: 100 MB, three types. */
const LIMITS: FileLimits = {
  sendFiles: true,
  receiveFiles: true,
  maxFileBytes: 100_000_000,
  fileTypes: '.doc .pdf .txt',
};
const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

describe('a role that allows files of 100 MB', () => {
  it.each([
    [99_999_999, undefined],
    [100_000_000, undefined],
    [100_000_001, 'too-large'],
  ])('S97: judges %i bytes on both sides', (size, refusal) => {
    expect(judgeFile(LIMITS, 'send', { name: 'a.pdf', size })).toBe(refusal);
    expect(judgeFile(LIMITS, 'receive', { name: 'a.pdf', size })).toBe(refusal);
  });

  it('allows each side only what it is for', () => {
    const file = { name: 'a.pdf', size: 1 };
    expect(judgeFile({ ...LIMITS, sendFiles: false }, 'send', file)).toBe('not-allowed');
    expect(judgeFile({ ...LIMITS, sendFiles: false }, 'receive', file)).toBeUndefined();
    expect(judgeFile({ ...LIMITS, receiveFiles: false }, 'receive', file)).toBe('not-allowed');
  });
});

describe('a role that names types', () => {
  it.each([
    ['a.pdf', undefined],
    ['A.PDF', undefined],
    ['a.exe.pdf', undefined],
    ['a.pdf.exe', 'type-not-allowed'],
    ['a', 'type-not-allowed'],
    ['a.docx', 'type-not-allowed'],
    ['a.', 'type-not-allowed'],
  ])('S98, T41: judges %s by its last ending', (name, refusal) => {
    expect(judgeFile(LIMITS, 'send', { name, size: 1 })).toBe(refusal);
  });

  it.each([
    ['a.pdf', '%PDF-1.7\n', undefined],
    ['a.pdf', 'MZ\x90\0', 'content-not-allowed'],
    ['a.pdf', '\x7fELF\x02', 'content-not-allowed'],
    ['a.pdf', '', 'content-not-allowed'],
    ['a.pdf', ' %PDF-1.7', 'content-not-allowed'],
    ['a.doc', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', undefined],
    ['a.doc', 'PK\x03\x04', 'content-not-allowed'],
    ['a.txt', 'plain words\r\n', undefined],
    ['a.txt', 'caf\xe9', undefined],
    ['a.txt', 'gr\xc3\xbc\xc3\x9fe', undefined],
    ['a.txt', '\xff\xfeh\0i\0', undefined],
    ['a.txt', '', undefined],
    ['a.txt', 'words\0more', 'content-not-allowed'],
    ['a.txt', '%PDF-1.7', 'content-not-allowed'],
    ['a.txt', 'MZ\x90\0', 'content-not-allowed'],
    ['a.txt', '#!/bin/sh\n', 'content-not-allowed'],
    ['a.txt', 'BMW is a car', undefined],
    ['a.odd', 'anything', undefined],
    ['a.odd', 'PK\x03\x04', 'content-not-allowed'],
    ['a.odd', 'MZ\x90\0', 'content-not-allowed'],
  ])('S98, T41: judges %s with %j by its content', (name, head, refusal) => {
    expect(judgeContent(LIMITS, name, ascii(head))).toBe(refusal);
  });

  it('is asked for nothing when every type is allowed', () => {
    const all = { ...LIMITS, fileTypes: '*' };
    expect(judgeFile(all, 'send', { name: 'a.exe', size: 1 })).toBeUndefined();
    expect(judgeContent(all, 'a.pdf', ascii('MZ'))).toBeUndefined();
  });
});
