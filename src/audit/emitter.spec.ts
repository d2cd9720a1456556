import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAuditEmitter } from './emitter.js';
import { isAuditEntry, type AuditEntry, type AuditEvent, type AuditPersonal } from './record.js';
import { createLineEmitter } from './stdout.emitter.js';
import { uuidv7 } from './uuid.js';

const NOON = new Date('2026-11-22T12:00:00.000Z');
const clock = { now: () => NOON, monotonicMs: () => 0 };
const source = { component: 'operator', instance: 'operator-0' } as const;

const anEvent = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'system-change',
  action: 'object.apply',
  outcome: 'success',
  actor: { kind: 'operator', subject: 'system:serviceaccount:sallyport:operator' },
  ...changes,
});

/** Different bytes at each call, the same in each run with the same seed. */
function countingRandom(seed: string) {
  let calls = 0;
  return (bytes: number) =>
    new Uint8Array(createHash('sha256').update(`${seed}${calls++}`).digest().subarray(0, bytes));
}

function collecting(seed = 'a') {
  const entries: AuditEntry[] = [];
  const personal: (AuditPersonal | undefined)[] = [];
  const emitter = createAuditEmitter({
    source,
    clock,
    random: countingRandom(seed),
    sink: { write: (entry, apart) => void (entries.push(entry), personal.push(apart)) },
  });
  return { emitter, entries, personal };
}

describe('an audit emitter', () => {
  it('S103: stamps UTC milliseconds and numbers without a gap from 1, also when the clock stands still', () => {
    const { emitter, entries } = collecting();
    for (let i = 0; i < 1_000; i++) emitter.emit(anEvent());
    expect(entries.map((entry) => entry.src.n)).toEqual(
      Array.from({ length: 1_000 }, (_, i) => i + 1),
    );
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(1_000);
    expect(entries.every(isAuditEntry)).toBe(true);
    expect(entries[0]?.ts).toBe('2026-11-22T12:00:00.000Z');
  });

  it('has another boot id and other pseudonyms after each start', () => {
    const [first, second] = [collecting('a'), collecting('b')];
    first.emitter.emit(anEvent());
    second.emitter.emit(anEvent());
    expect(first.entries[0]?.src.boot).not.toBe(second.entries[0]?.src.boot);
    expect(first.entries[0]?.actor.pid).not.toBe(second.entries[0]?.actor.pid);
  });

  it('gives one subject one pseudonym and another subject another, and never writes the subject', () => {
    const { emitter, entries } = collecting();
    emitter.emit(anEvent());
    emitter.emit(anEvent());
    emitter.emit(anEvent({ actor: { kind: 'account', subject: 'sp1aliceintheoffice' } }));
    expect(entries[0]?.actor.pid).toBe(entries[1]?.actor.pid);
    expect(entries[2]?.actor.pid).not.toBe(entries[0]?.actor.pid);
    expect(JSON.stringify(entries)).not.toMatch(/serviceaccount|alice/);
  });

  it('keeps the personal part apart from the entry', () => {
    const { emitter, entries, personal } = collecting();
    emitter.emit(anEvent({ personal: { ip: '192.0.2.7' } }));
    expect(personal).toEqual([{ ip: '192.0.2.7' }]);
    expect(JSON.stringify(entries)).not.toContain('192.0.2.7');
  });

  it('S108: records that an event was refused instead of its fields, and leaves no gap', () => {
    const { emitter, entries, personal } = collecting();
    emitter.emit(anEvent());
    // What the type forbids is what the emitter must drop.
    emitter.emit({ ...anEvent(), messageContent: 'CANARY' } as unknown as AuditEvent);
    emitter.emit(anEvent());
    expect(entries.map((entry) => [entry.src.n, entry.action])).toEqual([
      [1, 'object.apply'],
      [2, 'audit.refuse-event'],
      [3, 'object.apply'],
    ]);
    expect(JSON.stringify([entries, personal])).not.toContain('CANARY');
  });
});

describe('an emitter on standard output', () => {
  const lines: string[] = [];
  const emitter = createLineEmitter(source, clock, { write: (line) => lines.push(line) });

  it('T34: writes one line per record and drops the personal part', () => {
    emitter.emit(
      anEvent({ personal: { userAgent: 'evil\r\n{"v":1}\u2028\u009b2J', ip: '192.0.2.7' } }),
    );
    emitter.emit(anEvent({ reason: 'Bad\nReason' }));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatch(/^[\x20-\x7e]+\n$/);
      expect(isAuditEntry(JSON.parse(line))).toBe(true);
    }
    expect(lines.join('')).not.toMatch(/evil|192\.0\.2|Bad/);
  });
});

describe('uuidv7', () => {
  it('is the example of RFC 9562, appendix A.6', () => {
    // unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F; version and variant overwrite 6 bits.
    const random = Uint8Array.from(Buffer.from('0cc318c4dc0c0c07398f', 'hex'));
    expect(uuidv7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });
  it('refuses fewer random bytes', () => {
    expect(() => uuidv7(0, new Uint8Array(9))).toThrow(RangeError);
  });
});
