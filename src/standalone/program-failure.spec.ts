import { describe, expect, it } from '@jest/globals';
import { failureIn } from './program-failure.js';

describe('the log of a program that has ended', () => {
  it('says the last problem and what to do about it', () => {
    const log = [
      '{"level":"error","msg":"An older one.","hint":"No."}',
      '{"level":"error","code":"ERR_STATE","msg":"The file is damaged.","hint":"Move it away."}',
      '{"level":"info","msg":"stopping"}',
      '',
    ].join('\n');
    expect(failureIn(log)).toBe('The file is damaged. Move it away.');
  });

  it('says what an error that nobody expected was caused by', () => {
    const log =
      '{"level":"error","error":{"message":"no database","cause":{"message":"disk I/O error"}},"msg":"stopped by an error"}\n';
    expect(failureIn(log)).toBe('stopped by an error: no database: disk I/O error');
  });

  it.each([
    ['nothing', ''],
    ['no error', '{"level":"info","msg":"stopped"}\n'],
    ['a line that is cut off', '"msg":"x","level":"error","hint'],
    ['another form', '{"level":"error","msg":7}'],
    ['no object', '"\\"level\\":\\"error\\""'],
  ])('says nothing when it holds %s', (_what, log) => {
    expect(failureIn(log)).toBeUndefined();
  });
});
