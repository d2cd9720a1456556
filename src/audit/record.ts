import { Ajv } from 'ajv';
import Type from 'typebox';
import type { Static } from 'typebox';
import { OWN_SCHEMAS } from '../runtime/own-schemas.js';

/*
 * The audit record. Two forms (architecture.md 9): an AuditEvent is what a program hands to its emitter, with the
 * personal part apart; an AuditEntry is what is stored. Both are closed: a field that is not here cannot be
 * recorded. No form has a place for content, a session id, a peer, an address of a relay or key material.
 */

/** Version of the entry's form. */
export const AUDIT_RECORD_VERSION = 1;

/** A program of ours. */
export const COMPONENTS = ['operator', 'gateway', 'relay', 'auditor', 'sallyport'] as const;

/** What happened, by class. */
export const AUDIT_TYPES = [
  'authentication',
  'authorization',
  'data-access',
  'system-change',
  'integrity',
  'incident',
  'retention',
] as const;
export type AuditType = (typeof AUDIT_TYPES)[number];

/** The four classes of the published audit interface. */
export const PUBLISHED_TYPES = [
  'authentication',
  'authorization',
  'data-access',
  'system-change',
] as const;

/** The published class of an entry: the finer ones are changes of the system. */
export function publishedType(type: AuditType): (typeof PUBLISHED_TYPES)[number] {
  return PUBLISHED_TYPES.find((published) => published === type) ?? 'system-change';
}

const closed = { additionalProperties: false } as const;
const words = <const Values extends readonly string[]>(values: Values) =>
  Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] });
/** Every text is bounded and of characters that cannot end a line or drive a terminal. */
const text = (pattern: string, maxLength: number) =>
  Type.String({ pattern, maxLength, minLength: 1 });

const name = () => text('^[A-Za-z0-9:][A-Za-z0-9._:-]*$', 253);
const uid = () => text('^[A-Za-z0-9-]+$', 64);
const hash = () => text('^[A-Za-z0-9_+/=:-]+$', 128);
const instant = () => text('^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$', 24);

const resource = Type.Object(
  {
    /** `apps/v1/Deployment`, as `apiVersion/kind`. */
    gvk: text('^[A-Za-z0-9./-]+$', 253),
    ns: Type.Optional(name()),
    name: name(),
    uid: Type.Optional(uid()),
    /** The object's resourceVersion after the event. */
    rv: Type.Optional(text('^[0-9]+$', 32)),
  },
  closed,
);

const skeleton = {
  type: words(AUDIT_TYPES),
  /** `object.apply`, `login.refuse`: noun, verb. */
  action: text('^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)+$', 64),
  outcome: words(['success', 'failure'] as const),
  /** CamelCase, from the closed list of whoever records it. */
  reason: Type.Optional(text('^[A-Z][A-Za-z0-9]*$', 64)),
  resource: Type.Optional(resource),
  /** How many events of one hour a record stands for; absent: one. */
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  policy: Type.Optional(
    Type.Object(
      {
        preset: name(),
        controls: Type.Array(text('^[A-Za-z0-9 ._:/()-]+$', 64), { maxItems: 32 }),
      },
      closed,
    ),
  ),
  req: Type.Optional(
    Type.Object({ id: uid(), trace: Type.Optional(text('^[0-9a-f]{32}$', 32)) }, closed),
  ),
  /** Hashes of the state before and after, never the state. */
  chg: Type.Optional(
    Type.Object({ before: Type.Optional(hash()), after: Type.Optional(hash()) }, closed),
  ),
} as const;

const actorKind = words(['operator', 'program', 'administrator', 'account', 'anonymous'] as const);

/** What may identify a person. Sealed under the subject's key, or dropped where there is no log server. */
const personal = Type.Object(
  {
    userId: Type.Optional(Type.String({ maxLength: 128 })),
    ip: Type.Optional(Type.String({ maxLength: 45 })),
    userAgent: Type.Optional(Type.String({ maxLength: 512 })),
    geo: Type.Optional(Type.String({ maxLength: 64 })),
    names: Type.Optional(Type.Array(Type.String({ maxLength: 253 }), { maxItems: 8 })),
  },
  closed,
);

const eventSchema = Type.Object(
  {
    ...skeleton,
    /** `subject` never leaves the process: the emitter writes a random pseudonym in its place. */
    actor: Type.Object(
      { kind: actorKind, subject: Type.Optional(Type.String({ maxLength: 512, minLength: 1 })) },
      closed,
    ),
    personal: Type.Optional(personal),
  },
  closed,
);

const entrySchema = Type.Object(
  {
    v: Type.Literal(AUDIT_RECORD_VERSION),
    /** UUIDv7 (RFC 9562, 5.7). */
    id: text('^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 36),
    ts: instant(),
    src: Type.Object(
      {
        component: words(COMPONENTS),
        /** The pod. */
        instance: name(),
        /** Random per start of the process. */
        boot: text('^[0-9a-f]{32}$', 32),
        /** 1, 2, 3 ... without a gap: a missing number is a lost record. */
        n: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      },
      closed,
    ),
    ...skeleton,
    actor: Type.Object({ kind: actorKind, pid: text('^[0-9a-f]{32}$', 32) }, closed),
    sealed: Type.Optional(
      Type.Object(
        {
          kid: name(),
          alg: Type.Literal('A256GCM'),
          iv: hash(),
          ct: text('^[A-Za-z0-9_-]+$', 16_384),
        },
        closed,
      ),
    ),
  },
  closed,
);

/**
 * Fields that no record may ever carry. The schemas are closed, so that nothing unknown passes at run time; these
 * say at compile time that the omission is a promise.
 */
export interface NoContent {
  readonly messageContent?: never;
  readonly fileContent?: never;
  readonly mediaContent?: never;
  readonly plaintext?: never;
  readonly sessionKey?: never;
  readonly sessionId?: never;
  readonly peer?: never;
}

/** What a program reports to its emitter. */
export type AuditEvent = Static<typeof eventSchema> & NoContent;
/** The personal part of an event. */
export type AuditPersonal = Static<typeof personal>;
/** A record as it is written and stored. */
export type AuditEntry = Static<typeof entrySchema> & NoContent;
/** Which process writes: everything of `src` but the counter. */
export type AuditSource = Omit<AuditEntry['src'], 'n'>;

const ajv = new Ajv(OWN_SCHEMAS);
const validateEvent = ajv.compile(eventSchema);
const validateEntry = ajv.compile(entrySchema);

/** Whether `value` is an AuditEvent: closed, bounded, with every required field. */
export const isAuditEvent = (value: unknown): value is AuditEvent => validateEvent(value);

/** Whether `value` is an AuditEntry. */
export const isAuditEntry = (value: unknown): value is AuditEntry => validateEntry(value);
