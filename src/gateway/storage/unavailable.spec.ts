import { describe, expect, it } from '@jest/globals';
import { isOrphan, reasonOf } from './unavailable.js';

describe('an error of a database driver', () => {
  it.each([
    ['SQLITE_BUSY', { code: 'ERR_SQLITE_ERROR', errcode: 5 }, 'timeout'],
    ['SQLITE_BUSY_SNAPSHOT', { code: 'ERR_SQLITE_ERROR', errcode: 517 }, 'timeout'],
    ['SQLITE_FULL', { code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'full'],
    ['SQLITE_READONLY_DBMOVED', { code: 'ERR_SQLITE_ERROR', errcode: 1032 }, 'read-only'],
    ['SQLITE_CORRUPT', { code: 'ERR_SQLITE_ERROR', errcode: 11 }, 'failed'],
    ['a statement timeout', { code: '57014' }, 'timeout'],
    ['a server that shuts down', { code: '57P01' }, 'unreachable'],
    ['a full disk', { code: '53100' }, 'full'],
    ['a standby', { code: '25006' }, 'read-only'],
    ['a password that is not taken', { code: '28P01' }, 'unreachable'],
    ['a table that is not there', { code: '42P01' }, 'failed'],
    ['a refused connection', { code: 'ECONNREFUSED' }, 'unreachable'],
    ['a broken pipe, whose code looks like an SQLSTATE', { code: 'EPIPE' }, 'unreachable'],
    ['a certificate of another name', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'unreachable'],
    ['a connection that ended', new Error('Connection terminated unexpectedly'), 'unreachable'],
    ['a file of ours that is wrong', { code: 'ERR_SETTINGS_FILE' }, 'failed'],
  ])('is %s', (_, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });

  it('tells a missing account from every other broken rule', () => {
    expect(isOrphan({ code: 'ERR_SQLITE_ERROR', errcode: 787 })).toBe(true);
    expect(isOrphan({ code: '23503' })).toBe(true);
    expect(isOrphan({ code: 'ERR_SQLITE_ERROR', errcode: 1555 })).toBe(false);
    expect(isOrphan({ code: '23505' })).toBe(false);
    expect(isOrphan(undefined)).toBe(false);
  });
});
