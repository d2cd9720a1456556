import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { fileEnding, foldedName, numberedName, safeFileName } from './file-name.js';

const bytes = (text: string) => Buffer.byteLength(text);

describe('a name that a stranger chose', () => {
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['/etc/shadow', 'shadow'],
    ['..\\..\\windows\\system32\\hal.dll', 'hal.dll'],
    ['C:\\boot.ini', 'boot.ini'],
    ['//server/share/x.txt', 'x.txt'],
    ['..', 'file'],
    ['.', 'file'],
    ['', 'file'],
    ['///', 'file'],
    ['a/..', 'a'],
    ['report.pdf\0.exe', 'report.pdf.exe'],
    ['\0', 'file'],
    ['line\r\nbreak.txt', 'linebreak.txt'],
    ['\x1b[2J.txt', '[2J.txt'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['Lpt1.tar.gz', '_Lpt1.tar.gz'],
    ['COM\u00b9.txt', '_COM\u00b9.txt'],
    ['nul .txt', '_nul .txt'],
    ['console.txt', 'console.txt'],
    ['invoice.pdf.', 'invoice.pdf'],
    ['invoice.pdf . . ', 'invoice.pdf'],
    ['invoice.exe \u00a0', 'invoice.exe'],
    ['annexe\u202efdp.exe', 'annexefdp.exe'],
    ['a\u2066b\u200bc\ufeffd.txt', 'abcd.txt'],
    ['file.txt:stream.exe', 'file.txt_stream.exe'],
    ['what?<is>|"this"*.txt', 'what__is___this__.txt'],
    ['.bashrc', 'bashrc'],
    ['...hidden', 'hidden'],
    ['-rf', '_-rf'],
    ['~root', '_~root'],
    ['\ud800.txt', 'txt'],
    ['holiday.jpg', 'holiday.jpg'],
    ['Gr\u0075\u0308sse.txt', 'Gr\u00fcsse.txt'],
  ])('T41: %j becomes %j', (given, safe) => {
    expect(safeFileName(given)).toBe(safe);
  });

  it('T41: of 300 bytes is cut to 200 and keeps its ending, whatever its letters', () => {
    for (const stem of ['a'.repeat(300), '\u00fc'.repeat(150), '\u{1f600}'.repeat(75)]) {
      const name = safeFileName(`${stem}.pdf`);
      expect(bytes(name)).toBeGreaterThan(190);
      expect(bytes(name)).toBeLessThanOrEqual(200);
      expect(name).toMatch(/^(a+|\u00fc+|\u{1f600}+)\.pdf$/u);
    }
  });

  it('T41: shows the ending that counts: .pdf.exe is a program', () => {
    expect(fileEnding(safeFileName('invoice.pdf.exe'))).toBe('.exe');
    expect(fileEnding(safeFileName('invoice.pdf.EXE. '))).toBe('.exe');
    expect(fileEnding(safeFileName('invoice.exe.pdf'))).toBe('.pdf');
    expect(fileEnding('none')).toBe('');
  });

  it('T41: is harmless whatever it is, and what is harmless stays as it is', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({
        unit: fc.constantFrom('.', '/', '\\', ' ', '\0', 'a', '\u202e', '-', ':', 'N', 'U', 'L'),
        maxLength: 40,
      }),
    );
    fc.assert(
      fc.property(names, (given) => {
        const name = safeFileName(given);
        expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}/\\:<>"|?*]/u);
        expect(name).not.toMatch(/^[.\s-]|[.\s]$/u);
        expect(bytes(name)).toBeGreaterThan(0);
        expect(bytes(name)).toBeLessThanOrEqual(200);
        expect(safeFileName(name)).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a name that is taken', () => {
  it('gets a number before its ending', () => {
    expect(numberedName('report.pdf', 2)).toBe('report (2).pdf');
    expect(numberedName('README', 3)).toBe('README (3)');
    expect(numberedName('a.tar.gz', 2)).toBe('a.tar (2).gz');
  });

  it('T41: is taken in whatever case and form its letters are', () => {
    expect(foldedName('REPORT.pdf')).toBe(foldedName('report.PDF'));
    expect(foldedName('Gr\u0075\u0308n')).toBe(foldedName('GR\u00dcN'));
    expect(foldedName('STRASSE')).toBe(foldedName('stra\u00dfe'));
    expect(foldedName('a.txt')).not.toBe(foldedName('b.txt'));
  });
});
