import { pino, type DestinationStream, type Logger as Pino } from 'pino';
import { escapeLine } from './json-line.js';
import type { LogFields, Logger, LogLevel } from './log.js';
import { redact, redactText } from './redact.js';

/** Where lines go. `process.stdout` in programs, an array in tests. */
export interface LineSink {
  write(line: string): unknown;
}

/**
 * JSON lines `{level, time, program, msg, ...fields}` on `sink`: one line per call, whatever the fields hold.
 * Secrets are blanked (redact.ts); pid and host name are left out, the pod's name is known to the collector.
 */
export function createPinoLogger(program: string, level: LogLevel, sink: LineSink): Logger {
  const destination: DestinationStream = {
    write: (line) => {
      sink.write(`${escapeLine(line.trimEnd())}\n`);
    },
  };
  const options = {
    level,
    base: { program },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(pino(options, destination));
}

function wrap(inner: Pino): Logger {
  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (!inner.isLevelEnabled(level)) return;
      inner[level](redact(fields) as object, redactText(message));
    };
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => wrap(inner.child(redact(fields) as Record<string, unknown>)),
  };
}
