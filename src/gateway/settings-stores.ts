/*
 * The part of the gateway's settings that says where things are kept, for how long, and how replicas talk.
 */
import { Type } from 'typebox';

const live = { live: true } as const;
const closed = { additionalProperties: false } as const;

/** An absolute path. Without a cluster it stands below a folder of the person, who may have named it with blanks. */
const PATH = { pattern: '^/[^\\x00-\\x1f\\x7f]*$', maxLength: 4_096 } as const;
/** A path that the operator chooses. What stands there may change while the gateway runs; the path may not. */
export const file = (description: string) => Type.String({ ...PATH, description });

const seconds = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ ...live, minimum, maximum, description: `${description} In seconds.` });

const retentionClass = Type.Object(
  {
    atLeastSeconds: Type.Optional(
      seconds(0, 3_155_760_000, 'Records of this class are not deleted before this age.'),
    ),
    atMostSeconds: Type.Optional(
      seconds(0, 3_155_760_000, 'Records of this class are deleted at this age.'),
    ),
  },
  closed,
);

/** Section `retention`. */
export const retention = Type.Object(
  {
    deletion: Type.Union([Type.Literal('Enabled'), Type.Literal('Suspended')], {
      ...live,
      default: 'Enabled',
      description:
        'Suspended while retention policies contradict each other: nothing is deleted, whatever its age.',
    }),
    secureDeletion: Type.Object(
      {
        cryptographicErasure: Type.Boolean({
          ...live,
          default: true,
          description:
            'Destroys the key of the subject, so that copies in backups become unreadable.',
        }),
        receipts: Type.Boolean({
          ...live,
          default: true,
          description: 'Writes a receipt of each deletion into the audit log.',
        }),
      },
      closed,
    ),
    classes: Type.Object(
      {
        account: Type.Optional(retentionClass),
        device: Type.Optional(retentionClass),
        session: Type.Optional(retentionClass),
        signalingMetadata: Type.Optional(retentionClass),
        auditSkeleton: Type.Optional(retentionClass),
        auditPersonal: Type.Optional(retentionClass),
        backup: Type.Optional(retentionClass),
      },
      closed,
    ),
    legalHolds: Type.Array(
      Type.Object(
        {
          until: Type.String({
            ...live,
            maxLength: 32,
            description: 'RFC 3339 time at which this hold ends. Until then nothing is deleted.',
          }),
          reason: Type.String({
            ...live,
            maxLength: 256,
            description: 'Why; written to the audit log.',
          }),
        },
        closed,
      ),
      { ...live, maxItems: 16, default: [], description: 'Holds that suspend every deletion.' },
    ),
  },
  closed,
);

/** Section `storage`. */
export const storage = Type.Union([
  Type.Object(
    {
      type: Type.Literal('Embedded', { description: 'SQLite on the volume of this pod.' }),
      directory: file('Folder of the database files.'),
    },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal('PostgreSQL', { description: 'A PostgreSQL database.' }),
      caFile: Type.Optional(
        file('File with the PEM certificates that the database server must chain to.'),
      ),
      uriFile: file(
        'File that holds the connection URI of the runtime role. Read again when it changes.',
      ),
    },
    closed,
  ),
]);

/** Section `bus`. */
export const bus = Type.Union([
  Type.Object(
    { type: Type.Literal('InProcess', { description: 'One replica needs no bus.' }) },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal('NATS', { description: 'Replicas talk through NATS.' }),
      servers: Type.Array(Type.String({ maxLength: 253 }), {
        minItems: 1,
        maxItems: 8,
        description: 'NATS servers as tls://HOST:PORT.',
      }),
      credentialsFile: Type.Optional(file('File with the NATS credentials.')),
      caFile: Type.Optional(
        file('File with the PEM certificates that NATS servers must chain to.'),
      ),
    },
    closed,
  ),
]);
