import { describe, expect, it } from '@jest/globals';
import { messageOf } from '../../runtime/errors.js';
import { readDatabaseUri } from './database-uri.js';

describe('a database URI', () => {
  it('is read as CloudNativePG writes it', () => {
    expect(readDatabaseUri('postgresql://app:p%40s%2Fs@edge-rw.chat:5433/app\n')).toEqual({
      host: 'edge-rw.chat',
      port: 5433,
      database: 'app',
      role: 'app',
      password: 'p@s/s',
      isLoopback: false,
    });
  });

  it.each([
    ['localhost', true],
    ['127.0.0.9', true],
    ['[::1]', true],
    ['127.0.0.1.example.org', false],
    ['10.0.0.1', false],
    ['[::2]', false],
  ])('knows whether %s is this machine: %s', (host, isLoopback) => {
    const address = readDatabaseUri(`postgres://app:x@${host}/app`);
    expect(address).toMatchObject({ isLoopback, port: 5432 });
  });

  it.each([
    ['disable', /without TLS/],
    ['allow', /without TLS/],
    ['prefer', /without TLS/],
    ['no-verify', /without TLS/],
  ])('S14: is refused with sslmode=%s', (mode, message) => {
    expect(() => readDatabaseUri(`postgresql://app:x@db/app?sslmode=${mode}`)).toThrow(message);
  });

  it.each([
    ['no URI', 'secret-word', /is not a URI/],
    ['another protocol', 'mysql://app:secret-word@db/app', /postgresql:/],
    ['no host', 'postgresql://app:secret-word@/app', /not a URI|no host/],
    ['no database', 'postgresql://app:secret-word@db/', /no host, database or role/],
    ['no role', 'postgresql://db/app', /no host, database or role/],
    ['a broken escape', 'postgresql://app:secret-word%zz@db/app', /begins no escape/],
    ['an unknown parameter', 'postgresql://app:secret-word@db/app?options=-c', /holds options/],
  ])('is refused with %s, and nothing of it is repeated', (_, uri, message) => {
    let refusal: unknown;
    try {
      readDatabaseUri(uri);
    } catch (error) {
      refusal = error;
    }
    expect(messageOf(refusal)).toMatch(message);
    expect(messageOf(refusal)).not.toContain('secret-word');
  });
});
