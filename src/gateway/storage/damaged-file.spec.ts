import { describe, expect, it } from '@jest/globals';
import { StorageUnavailable } from '../store.js';
import { damageOf } from './damaged-file.js';

const failed = (errcode: number): StorageUnavailable =>
  new StorageUnavailable('failed', { cause: Object.assign(new Error('no'), { errcode }) });

describe('a database that cannot be opened', () => {
  it.each([11, 26, 267])('is told as a damaged file (SQLite says %i)', (errcode) => {
    const told = damageOf(failed(errcode), '/data/gateway.sqlite');
    expect(told?.code).toBe('ERR_STATE');
    expect(told?.problem).toContain('/data/gateway.sqlite');
  });

  it.each([5, 8, 13, 14])('is no damaged file when SQLite says %i', (errcode) => {
    expect(damageOf(failed(errcode), 'x')).toBeUndefined();
  });

  it('is no damaged file when no driver has said why', () => {
    expect(damageOf(new Error('no'), 'x')).toBeUndefined();
  });
});
