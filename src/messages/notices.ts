/*
 * What a gateway tells a connected endpoint that did not ask.
 */
import { Type, type Static, type TSchema } from 'typebox';
import { envelope } from './peer-requests.js';
import { bytesOf, closed, instant } from './fields.js';

export const NOTICES = {
  /** An envelope for a token that this connection registered. */
  'envelope.arrived': Type.Object({ token: bytesOf(16), envelope: envelope() }, closed),
  /** A first contact: an envelope that names its sender. */
  'contact.introduced': Type.Object({ envelope: envelope() }, closed),
  /** The gateway's lease keys changed: grants are checked with these from now on. */
  'keys.changed': Type.Object(
    {
      leaseKeys: Type.Array(
        Type.Object(
          { kid: bytesOf(16), publicKey: bytesOf(32), notBefore: instant(), notAfter: instant() },
          closed,
        ),
        { maxItems: 8 },
      ),
    },
    closed,
  ),
  /** A signed pin update (architecture, 9), as canonical JSON and its signature. */
  'pins.update': Type.Object(
    {
      update: Type.String({ maxLength: 4_096 }),
      signature: Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 1_024 }),
    },
    closed,
  ),
  /** What the roles of this account allow has changed: `grant.issue` again, and end what is no longer allowed. */
  'permissions.changed': Type.Object(
    { roles: Type.Array(Type.String({ maxLength: 253 }), { maxItems: 64 }) },
    closed,
  ),
} as const satisfies Record<string, TSchema>;

/** Name of a notice. */
export type NoticeName = keyof typeof NOTICES;
/** Body of the notice `Name`. */
export type NoticeBody<Name extends NoticeName> = Static<(typeof NOTICES)[Name]>;
