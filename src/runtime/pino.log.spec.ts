import { describe, expect, it } from '@jest/globals';
import { createPinoLogger } from './pino.log.js';

function logged(write: (log: ReturnType<typeof createPinoLogger>) => void): string[] {
  const lines: string[] = [];
  write(createPinoLogger('operator', 'info', { write: (line: string) => void lines.push(line) }));
  return lines;
}

const CANARY = 'canary-7f3a9c';

describe('a log line', () => {
  it('is JSON with level, time, program and message', () => {
    const [line] = logged((log) => {
      log.child({ room: 'relay-pool' }).info('reconciled', { key: 'a/b' });
    });
    expect(JSON.parse(line!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      program: 'operator',
      room: 'relay-pool',
      key: 'a/b',
      msg: 'reconciled',
    });
  });

  it('is not written below the level', () => {
    expect(
      logged((log) => {
        log.debug('no');
      }),
    ).toEqual([]);
  });

  it('T34: is one line of plain characters, whatever a field holds', () => {
    const lines = logged((log) => {
      log.error('a\nb\u2028', { evil: '\r\n{"level":"info"}\u2029\u0085\u009b31m\u202e' });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e]+\n$/);
    expect((JSON.parse(lines[0]!) as { evil: string }).evil).toContain('\u2029');
  });

  it.each([
    [
      'a Secret',
      { object: { kind: 'Secret', data: { uri: CANARY }, stringData: { uri: CANARY } } },
    ],
    [
      'a field with a telling name',
      { clientSecret: CANARY, accessToken: CANARY, Authorization: CANARY },
    ],
    [
      'a PEM key in a message',
      { note: `-----BEGIN EC PRIVATE KEY-----\n${CANARY}\n-----END EC PRIVATE KEY-----` },
    ],
    ['a truncated PEM key', { note: `-----BEGIN PRIVATE KEY-----\n${CANARY}` }],
    ['a bearer token in an error', { error: new Error(`401 for Bearer ${CANARY}`) }],
    [
      'a password in a URI in a cause',
      { error: new Error('x', { cause: new Error(`postgres://u:${CANARY}@db/x`) }) },
    ],
    ['a PASETO token', { lease: `v4.public.${CANARY.replaceAll('-', '_')}${'a'.repeat(40)}` }],
    ['a JSON web key', { key: { kty: 'OKP', d: CANARY } }],
    ['bytes', { raw: Buffer.from(CANARY) }],
  ])('S21: does not show %s', (_, fields) => {
    const [line] = logged((log) => {
      log.child(fields).error('failed', fields);
    });
    expect(line).not.toContain(CANARY);
    expect(line).not.toContain(CANARY.replaceAll('-', '_'));
    expect(line).not.toContain(Buffer.from(CANARY).toString('base64'));
  });

  it('stays short enough for a collector and survives a cycle', () => {
    const cycle: Record<string, unknown> = { big: 'x'.repeat(1_000_000) };
    cycle['self'] = cycle;
    const [line] = logged((log) => {
      log.error('failed', cycle);
    });
    expect(line!.length).toBeLessThan(16_384);
  });
});
