/*
 * The role and policy blocks that the seeds print (catalogue, S93 to S98), read word for word, as AccessRoles. A role may
 * not hold `*`: administrators get the enumerated set of everything that there is, so that a new verb is never granted by
 * an old file.
 */
import type { AccessRole, AccessRolePermission, AccessRoleSpec } from '../kinds/access-role.gen.js';
import { VERBS_OF, type RoleResource } from './roles.js';

/** A role as the file writes it. */
export interface ImportedRole {
  readonly permissions: readonly string[];
  readonly mfa_required?: boolean;
  readonly audit_level?: string;
  /** Seconds. */
  readonly session_timeout?: number;
}

/** The whole block. */
export interface RoleFile {
  readonly Roles: Readonly<Record<string, ImportedRole>>;
  readonly Policies?: {
    readonly file_transfer?: {
      readonly max_size?: string;
      readonly allowed_types?: readonly string[];
      readonly virus_scan?: boolean;
    };
    readonly group_calls?: {
      readonly max_participants?: number;
      readonly recording_policy?: string;
      readonly external_participants?: string;
    };
  };
}

/** What cannot be read, and where: `Roles.admin.permissions`. */
export interface ImportProblem {
  readonly at: string;
  readonly problem: string;
}

/** Where the roles go. */
export interface ImportTarget {
  readonly namespace: string;
  /** Names of SignalingGateways. */
  readonly gateways: readonly string[];
  /** The role that every registered account gets; the others are given by naming subjects. */
  readonly everyone?: string;
}

/** What a word of the file's permissions stands for. */
const PEOPLE: Readonly<Record<string, RoleResource>> = {
  chat: 'Chat',
  call: 'Call',
  'file-transfer': 'File',
  input: 'Input',
};
const LEVELS: Readonly<Record<string, NonNullable<AccessRoleSpec['auditLevel']>>> = {
  minimal: 'Minimal',
  standard: 'Standard',
  maximum: 'Maximum',
};
const RECORDING: Readonly<Record<string, AccessRoleSpec['calls']['recording']>> = {
  forbidden: 'Forbidden',
  'encrypted-local-only': 'EncryptedLocalOnly',
};
const EXTERNAL: Readonly<Record<string, AccessRoleSpec['calls']['externalParticipants']>> = {
  forbidden: 'Forbidden',
  'admin-approval': 'AdminApproval',
  allowed: 'Allowed',
};
/** Decimal prefixes of the SI: 100MB are 100,000,000 bytes. */
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const ROLE_NAME = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** The AccessRoles of `file`, or everything that is wrong with it. Nothing is left out silently. */
export function importRoles(
  file: RoleFile,
  target: ImportTarget,
): readonly AccessRole[] | { readonly problems: readonly ImportProblem[] } {
  const problems: ImportProblem[] = [];
  const note = (at: string, problem: string): void => {
    problems.push({ at, problem });
  };
  const files = filePolicy(file, note);
  const calls = callPolicy(file, note);
  const roles = Object.entries(file.Roles).map(([name, role]) => {
    const at = `Roles.${name}`;
    if (!ROLE_NAME.test(name)) note(at, 'is no name: write lower-case letters, digits and hyphens');
    const permissions = permissionsOf(role, `${at}.permissions`, note);
    const has = (resource: RoleResource) =>
      permissions.some((given) => given.resource === resource);
    const level = role.audit_level;
    const auditLevel =
      level === undefined ? undefined : wordOf(LEVELS, level, `${at}.audit_level`, note);
    const spec: AccessRoleSpec = {
      gateways: { names: target.gateways },
      permissions,
      mfa: { required: role.mfa_required ?? false, hardwareKeyRequired: false },
      calls,
      assignment: name === target.everyone ? 'Everyone' : 'Listed',
      ...(auditLevel === undefined ? {} : { auditLevel }),
      ...(has('File') ? { files } : {}),
      ...(role.session_timeout === undefined
        ? {}
        : { sessions: { absoluteTimeoutSeconds: role.session_timeout } }),
    };
    const metadata = { name, namespace: target.namespace };
    return { apiVersion: 'sallyport.dev/v1alpha1', kind: 'AccessRole', metadata, spec } as const;
  });
  return problems.length > 0 ? { problems } : roles;
}

type Note = (at: string, problem: string) => void;

function permissionsOf(
  { permissions }: ImportedRole,
  at: string,
  note: Note,
): readonly AccessRolePermission[] {
  if (permissions.includes('*'))
    return (Object.keys(VERBS_OF) as RoleResource[]).map((resource) => ({
      resource,
      verbs: VERBS_OF[resource],
    }));
  return permissions.flatMap((word) => {
    const resource = PEOPLE[word];
    if (resource !== undefined) return [{ resource, verbs: VERBS_OF[resource] }];
    note(at, `"${word}" is unknown: write ${Object.keys(PEOPLE).join(', ')} or *`);
    return [];
  });
}

function filePolicy({ Policies }: RoleFile, note: Note): NonNullable<AccessRoleSpec['files']> {
  const { max_size, allowed_types, virus_scan } = Policies?.file_transfer ?? {};
  const at = 'Policies.file_transfer';
  const maxBytes = max_size === undefined ? undefined : bytesOf(max_size, `${at}.max_size`, note);
  return {
    scan: virus_scan ?? false,
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(allowed_types === undefined ? {} : { allowedTypes: allowed_types }),
  };
}

function callPolicy({ Policies }: RoleFile, note: Note): AccessRoleSpec['calls'] {
  const { max_participants, recording_policy, external_participants } = Policies?.group_calls ?? {};
  const at = 'Policies.group_calls';
  const recording = recording_policy ?? 'forbidden';
  const external = external_participants ?? 'forbidden';
  return {
    maxParticipants: max_participants ?? 50,
    recording: wordOf(RECORDING, recording, `${at}.recording_policy`, note) ?? 'Forbidden',
    externalParticipants:
      wordOf(EXTERNAL, external, `${at}.external_participants`, note) ?? 'Forbidden',
  };
}

/** `100MB` in bytes. */
function bytesOf(text: string, at: string, note: Note): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,9})\s*([KMGT]?B)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (factor !== undefined) return Number(digits) * factor;
  note(at, `"${text}" is no size: write a number and B, KB, MB, GB or TB, like 100MB`);
  return undefined;
}

function wordOf<Value>(
  words: Readonly<Record<string, Value>>,
  word: string,
  at: string,
  note: Note,
): Value | undefined {
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known === undefined) note(at, `"${word}" is unknown: write ${Object.keys(words).join(', ')}`);
  return known;
}
