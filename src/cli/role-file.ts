/*
 * The file of `role import`, checked field by field before anything is made of it.
 */
import { Ajv } from 'ajv';
import { Type } from 'typebox';
import type { RoleFile } from '../policy/role-import.js';

const closed = { additionalProperties: false } as const;
const text = () => Type.String({ maxLength: 256 });
const ROLE_FILE = Type.Object(
  {
    Roles: Type.Record(
      Type.String({ maxLength: 63 }),
      Type.Object(
        {
          permissions: Type.Array(text(), { maxItems: 64 }),
          mfa_required: Type.Optional(Type.Boolean()),
          audit_level: Type.Optional(text()),
          session_timeout: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_592_000 })),
        },
        closed,
      ),
      { maxProperties: 64 },
    ),
    Policies: Type.Optional(
      Type.Object(
        {
          file_transfer: Type.Optional(
            Type.Object(
              {
                max_size: Type.Optional(text()),
                allowed_types: Type.Optional(Type.Array(text(), { maxItems: 64 })),
                virus_scan: Type.Optional(Type.Boolean()),
              },
              closed,
            ),
          ),
          group_calls: Type.Optional(
            Type.Object(
              {
                max_participants: Type.Optional(Type.Integer({ minimum: 2, maximum: 10_000 })),
                recording_policy: Type.Optional(text()),
                external_participants: Type.Optional(text()),
              },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
);

const validate = new Ajv({ strict: false, allErrors: true }).compile<RoleFile>(ROLE_FILE);

/** The file, or what is wrong with it, each with its place: `Roles.guest.permissions: must be array`. */
export function readRoleFile(value: unknown): RoleFile | readonly string[] {
  if (validate(value)) return value;
  return (validate.errors ?? []).map(({ instancePath, message = '', params }) => {
    const at = instancePath.slice(1).replaceAll('/', '.') || 'the file';
    const { additionalProperty } = params as { readonly additionalProperty?: string };
    return additionalProperty === undefined
      ? `${at}: ${message}`
      : `${at}: "${additionalProperty.slice(0, 40)}" is not a field`;
  });
}
