import { randomBytes } from 'node:crypto';
import type { Clock } from '../runtime/clock.js';
import { jsonLine } from '../runtime/json-line.js';
import { createAuditEmitter, type AuditEmitter } from './emitter.js';
import type { AuditSource } from './record.js';

/**
 * Writes each record as one JSON line to `output` (standard output: programs log to standard error, so that
 * standard output is the audit trail and nothing else). There is nobody here who could seal the personal part:
 * it is dropped.
 */
export function createLineEmitter(
  source: Omit<AuditSource, 'boot'>,
  clock: Clock,
  output: { write(line: string): unknown },
): AuditEmitter {
  const sink = {
    write: (entry: unknown) => {
      output.write(`${jsonLine(entry)}\n`);
    },
  };
  return createAuditEmitter({ source, clock, random: (bytes) => randomBytes(bytes), sink });
}
