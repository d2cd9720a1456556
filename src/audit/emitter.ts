import type { Clock } from '../runtime/clock.js';
import {
  AUDIT_RECORD_VERSION,
  isAuditEvent,
  type AuditEntry,
  type AuditEvent,
  type AuditPersonal,
  type AuditSource,
} from './record.js';
import { toHex, UUID_RANDOM_BYTES, uuidv7 } from './uuid.js';

/** Where a program reports what it did. Never throws: an audit trail must not change what it observes. */
export interface AuditEmitter {
  emit(event: AuditEvent): void;
}

/** Takes finished entries. The personal part comes apart, for a sink that can seal it; others drop it. */
export interface AuditSink {
  write(entry: AuditEntry, personal: AuditPersonal | undefined): void;
}

export interface EmitterOptions {
  readonly source: Omit<AuditSource, 'boot'>;
  readonly clock: Clock;
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly sink: AuditSink;
}

/** 128 bits: nobody can guess whom a pseudonym stands for. */
const PSEUDONYM_BYTES = 16;
const BOOT_BYTES = 16;
/** Pseudonyms held at once; the oldest goes first and would get a new one. About 10 MB. */
const MAX_PSEUDONYMS = 50_000;

/**
 * Turns events into entries: numbers them without a gap from 1, stamps them, and puts a pseudonym that is random
 * per process and subject in the place of the subject. An event that is not one (a mistake of ours) is recorded as
 * an `integrity` failure instead, so that a number is never missing and its fields never leak.
 */
export function createAuditEmitter({ source, clock, random, sink }: EmitterOptions): AuditEmitter {
  const boot = toHex(random(BOOT_BYTES));
  const pseudonyms = new Pseudonyms(() => toHex(random(PSEUDONYM_BYTES)));
  let n = 0;
  return {
    emit: (candidate) => {
      const event = isAuditEvent(candidate) ? candidate : REFUSED_EVENT;
      const { actor, personal, ...skeleton } = event;
      const now = clock.now();
      n += 1;
      const entry: AuditEntry = {
        v: AUDIT_RECORD_VERSION,
        id: uuidv7(now.getTime(), random(UUID_RANDOM_BYTES)),
        ts: now.toISOString(),
        src: { ...source, boot, n },
        ...skeleton,
        actor: { kind: actor.kind, pid: pseudonyms.of(`${actor.kind}/${actor.subject ?? ''}`) },
      };
      sink.write(entry, personal);
    },
  };
}

const REFUSED_EVENT: AuditEvent = {
  type: 'integrity',
  action: 'audit.refuse-event',
  outcome: 'failure',
  reason: 'InvalidEvent',
  actor: { kind: 'program' },
};

/** A bounded table of pseudonyms, oldest first. */
class Pseudonyms {
  private readonly bySubject = new Map<string, string>();

  constructor(private readonly make: () => string) {}

  of(subject: string): string {
    const known = this.bySubject.get(subject);
    if (known !== undefined) return known;
    const made = this.make();
    this.bySubject.set(subject, made);
    const oldest = this.bySubject.keys().next().value;
    if (this.bySubject.size > MAX_PSEUDONYMS && oldest !== undefined) this.bySubject.delete(oldest);
    return made;
  }
}
