import { describe, expect, it } from '@jest/globals';
import type { Logger } from '../runtime/log.js';
import { errorOfStatus, errorWithoutAnswer } from './api-error.js';
import { EngineReports } from './engine.reports.js';
import { hostAndPort } from './kubeconfig.js';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: object | undefined;
}

function aReport() {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields?: object): void => {
      lines.push({ level, message, fields });
    };
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const reports = new EngineReports(log as Logger, undefined, '192.0.2.1:6443');
  const shown = (): readonly Line[] => lines.filter(({ level }) => level !== 'debug');
  return { reports, shown };
}

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const away = errorWithoutAnswer('Network', 'no answer', refused);

describe('an API server that is away', () => {
  it('is named once, however many watches it ends, and once when it is back', () => {
    const { reports, shown } = aReport();
    for (const kind of ['Secret', 'ConfigMap', 'Secret']) reports.reconnected(kind, away);
    const server = '192.0.2.1:6443';
    const message = 'the API server cannot be reached';
    expect(shown()).toEqual([
      { level: 'warn', message, fields: { server, error: 'ECONNREFUSED' } },
    ]);
    reports.answered();
    reports.answered();
    const back = { level: 'info', message: 'the API server answers again', fields: { server } };
    expect(shown().slice(1)).toEqual([back]);
    reports.reconnected('Secret', away);
    expect(shown()).toHaveLength(3);
  });

  it('is not one that answers with an error, or ends a watch in order', () => {
    const { reports, shown } = aReport();
    reports.reconnected('Secret', errorOfStatus(500, undefined));
    reports.reconnected('Secret', undefined);
    reports.answered();
    expect(shown()).toEqual([]);
  });

  it('is named by host and port, never by what else its URL holds', () => {
    expect(hostAndPort('https://user:CANARY@api.example.com/path?token=CANARY')).toBe(
      'api.example.com:443',
    );
    expect(hostAndPort('https://[2001:db8::1]:6443')).toBe('[2001:db8::1]:6443');
    expect(hostAndPort('http://127.0.0.1')).toBe('127.0.0.1:80');
    expect(hostAndPort('nothing')).toBe('');
  });
});
