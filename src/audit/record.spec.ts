import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ts from 'typescript';
import {
  AUDIT_TYPES,
  isAuditEntry,
  isAuditEvent,
  PUBLISHED_TYPES,
  publishedType,
  type AuditEvent,
} from './record.js';

const anEvent = (changes: object = {}) => ({
  type: 'system-change',
  action: 'object.apply',
  outcome: 'success',
  actor: { kind: 'operator' },
  resource: { gvk: 'apps/v1/Deployment', ns: 'office', name: 'edge-gateway', rv: '41' },
  ...changes,
});

const aSource = { component: 'operator', instance: 'operator-0', boot: 'a'.repeat(32), n: 1 };

const anEntry = (changes: object = {}) => ({
  ...anEvent(),
  v: 1,
  id: '019a0000-0000-7000-8000-000000000000',
  ts: '2026-11-22T12:00:00.000Z',
  src: aSource,
  actor: { kind: 'operator', pid: 'b'.repeat(32) },
  ...changes,
});

describe('an audit record', () => {
  it('S104: maps each of its types to one of the four published ones', () => {
    const mapped = Object.fromEntries(AUDIT_TYPES.map((type) => [type, publishedType(type)]));
    expect(mapped).toEqual({
      authentication: 'authentication',
      authorization: 'authorization',
      'data-access': 'data-access',
      'system-change': 'system-change',
      integrity: 'system-change',
      incident: 'system-change',
      retention: 'system-change',
    });
    expect(new Set(Object.values(mapped))).toEqual(new Set(PUBLISHED_TYPES));
  });

  it.each(['type', 'action', 'outcome', 'actor'])('S106: cannot be without %s', (field) => {
    expect(isAuditEvent(anEvent())).toBe(true);
    expect(isAuditEvent({ ...anEvent(), [field]: undefined })).toBe(false);
    expect(isAuditEntry(anEntry())).toBe(true);
    expect(isAuditEntry({ ...anEntry(), [field]: undefined })).toBe(false);
  });

  it.each([
    ['an outcome that is neither', { outcome: 'maybe' }],
    ['a line end in an action', { action: 'object.apply\n{"v":1}' }],
    ['a terminal sequence in a name', { resource: { gvk: 'v1/Secret', name: '\u009b31m' } }],
    ['a line separator in a name', { resource: { gvk: 'v1/Secret', name: 'a\u2028b' } }],
    ['an action of 65 characters', { action: `object.${'a'.repeat(58)}` }],
    ['a megabyte', { reason: 'A'.repeat(1_000_000) }],
  ])('T34: refuses %s', (_, changes) => {
    expect(isAuditEvent(anEvent(changes))).toBe(false);
    expect(isAuditEntry(anEntry(changes))).toBe(false);
  });

  it('T34: takes no text into its skeleton that could end a line, whatever the text is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const accepted = isAuditEntry(anEntry({ resource: { gvk: 'v1/Secret', name: text } }));
        expect(accepted && /[^\x21-\x7e]/.test(text)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['messageContent', 'fileContent', 'sessionKey', 'sessionId', 'peer', 'anythingElse'])(
    'S108: refuses the field %s at run time, wherever it stands',
    (field) => {
      expect(isAuditEvent(anEvent({ [field]: 'x' }))).toBe(false);
      expect(isAuditEvent(anEvent({ personal: { [field]: 'x' } }))).toBe(false);
      expect(isAuditEvent(anEvent({ actor: { kind: 'operator', [field]: 'x' } }))).toBe(false);
      expect(isAuditEntry(anEntry({ [field]: 'x' }))).toBe(false);
      expect(isAuditEntry(anEntry({ src: { ...aSource, [field]: 'x' } }))).toBe(false);
    },
  );

  it('S108: does not compile with a content field', () => {
    const fields = ['messageContent', 'fileContent', 'sessionKey', 'peer'];
    const complaints = errorsOf(['', ...fields.map((field) => `, ${field}: 'hello'`)]);
    // One for each field and none for the event without one.
    expect(complaints).toEqual(
      fields.map((field): unknown =>
        expect.stringMatching(new RegExp(`'${field}'.*type 'undefined'`)),
      ),
    );
  }, 60_000);
});

/** The compiler's complaints about events with each of `more` fields; the variables defeat excess checks. */
function errorsOf(more: readonly string[]): string[] {
  const file = join(import.meta.dirname, 'negative.spec-input.ts');
  const events = more.map(
    (fields, i) => `
const made${i} = { type: 'retention' as const, action: 'a.b', outcome: 'success' as const, actor: { kind: 'program' as const }${fields} };
export const event${i}: AuditEvent = made${i};`,
  );
  const source = `import type { AuditEvent } from './record.js';${events.join('')}`;
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2024) : read(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map((diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '));
}

// The static side once more, for the compiler that checks this very file.
// @ts-expect-error an event has no place for content
export const refused: AuditEvent = { ...(anEvent() as AuditEvent), messageContent: 'hello' };
