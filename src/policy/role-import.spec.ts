import { describe, expect, it } from '@jest/globals';
import { seedAccessRoles, seedRoleFile } from '../../test/seeds/roles.js';
import { importRoles } from './role-import.js';
import { VERBS_OF } from './roles.js';

const TARGET = { namespace: 'office', gateways: ['edge'] };

describe('the roles of the second seed, imported word for word', () => {
  const [admin, user, guest] = seedAccessRoles().map(({ spec }) => spec);

  it('S93: admin gets everything there is by name, with a second factor, recorded at the maximum', () => {
    expect(admin?.permissions).toEqual(
      Object.entries(VERBS_OF).map(([resource, verbs]) => ({ resource, verbs })),
    );
    expect(admin?.mfa).toEqual({ required: true, hardwareKeyRequired: false });
    expect(admin?.auditLevel).toBe('Maximum');
  });

  it('S94: user may chat, call and transfer files, and nothing else', () => {
    expect(user?.permissions.map(({ resource }) => resource)).toEqual(['Chat', 'Call', 'File']);
    expect(user?.mfa.required).toBe(false);
    expect(user?.auditLevel).toBe('Standard');
  });

  it('S95: guest may chat for an hour', () => {
    expect(guest?.permissions).toEqual([{ resource: 'Chat', verbs: ['Send', 'Receive'] }]);
    expect(guest?.sessions).toEqual({ absoluteTimeoutSeconds: 3600 });
    expect(guest?.files).toBeUndefined();
  });

  it('S97, S98: files are limited to 100,000,000 bytes of three types, and scanned', () => {
    const files = { maxBytes: 100_000_000, allowedTypes: ['.pdf', '.doc', '.txt'], scan: true };
    expect(admin?.files).toEqual(files);
    expect(user?.files).toEqual(files);
  });

  it('limits group calls as the file says', () => {
    const calls = {
      maxParticipants: 50,
      recording: 'EncryptedLocalOnly',
      externalParticipants: 'AdminApproval',
    };
    for (const role of [admin, user, guest]) expect(role?.calls).toEqual(calls);
  });
});

describe('a role file with mistakes', () => {
  it('gives each of them with its place, and no role', () => {
    const { Roles, Policies } = seedRoleFile();
    const file = {
      Roles: { ...Roles, 'No Name': { permissions: ['fly'], audit_level: 'toString' } },
      Policies: { ...Policies, file_transfer: { max_size: '100 elephants' } },
    };
    expect(importRoles(file, TARGET)).toEqual({
      problems: [
        {
          at: 'Policies.file_transfer.max_size',
          problem: '"100 elephants" is no size: write a number and B, KB, MB, GB or TB, like 100MB',
        },
        {
          at: 'Roles.No Name',
          problem: 'is no name: write lower-case letters, digits and hyphens',
        },
        {
          at: 'Roles.No Name.permissions',
          problem: '"fly" is unknown: write chat, call, file-transfer, input or *',
        },
        {
          at: 'Roles.No Name.audit_level',
          problem: '"toString" is unknown: write minimal, standard, maximum',
        },
      ],
    });
  });

  it.each([
    ['1B', 1],
    ['100 KB', 100_000],
    ['2GB', 2_000_000_000],
  ])('reads %s as %d bytes', (max_size, bytes) => {
    const file = { ...seedRoleFile(), Policies: { file_transfer: { max_size } } };
    const roles = importRoles(file, TARGET);
    expect('problems' in roles ? roles : roles[0]?.spec.files?.maxBytes).toBe(bytes);
  });

  it('gives one role to everybody only when asked', () => {
    const roles = importRoles(seedRoleFile(), { ...TARGET, everyone: 'guest' });
    const assignments = 'problems' in roles ? [] : roles.map(({ spec }) => spec.assignment);
    expect(assignments).toEqual(['Listed', 'Listed', 'Everyone']);
  });
});
