import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { load, loadAll } from 'js-yaml';
import type { RoleImportCommand } from './commands.js';
import { readRoleFile } from './role-file.js';
import { runRoleImport } from './role.command.js';
import { Report } from './terminal/report.js';

const SEED = 'test/seeds/roles.yaml';

describe('a file of roles', () => {
  it('S93: is read as the seed prints it', () => {
    const file = readRoleFile(load(readFileSync(SEED, 'utf8')));
    expect(file).toMatchObject({ Roles: { admin: { permissions: ['*'] } } });
  });

  it('is refused with each place that is wrong', () => {
    const file = { Roles: { guest: { permissions: 'chat', mfa: true } }, Policy: {} };
    expect(readRoleFile(file)).toEqual([
      'the file: "Policy" is not a field',
      'Roles.guest: "mfa" is not a field',
      'Roles.guest.permissions: must be array',
    ]);
    expect(readRoleFile(null)).toEqual(['the file: must be object']);
  });
});

describe('role import', () => {
  let folder: string;
  let written = '';
  const output = { write: (text: string) => (written += text) };
  const command: RoleImportCommand = {
    ...{ name: 'role import', file: SEED, gateways: ['edge'], namespace: 'office' },
    ...{ everyone: 'guest', to: undefined, output: 'text' },
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-roles-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('writes AccessRoles that the schema of the kind takes', async () => {
    written = '';
    expect(await runRoleImport(command, new Report(output, 'text'))).toBe(0);
    const roles = loadAll(written) as { kind: string; metadata: object; spec: object }[];
    expect(roles.map(({ kind, metadata }) => [kind, metadata])).toEqual(
      ['admin', 'user', 'guest'].map((name) => ['AccessRole', { name, namespace: 'office' }]),
    );
    expect(roles[2]!.spec).toMatchObject({
      ...{ assignment: 'Everyone', gateways: { names: ['edge'] } },
      sessions: { absoluteTimeoutSeconds: 3_600 },
    });
  });

  it('writes a new file and no other', async () => {
    const to = join(folder, 'roles.yaml');
    await runRoleImport({ ...command, to }, new Report(output, 'text'));
    expect(loadAll(await readFile(to, 'utf8'))).toHaveLength(3);
    await expect(runRoleImport({ ...command, to }, new Report(output, 'text'))).rejects.toThrow(
      'does not exist yet',
    );
  });

  it.each([
    ['Roles: {guest: {permissions: [fly]}}', 'Roles.guest.permissions: "fly" is unknown'],
    ['Roles: {user: {permissions: [chat]}}', '"guest", the role of everyone, is not there'],
    ['Roles: [', 'cannot be read'],
    ['- 1', 'must be object'],
  ])('writes nothing for %s', async (yaml, problem) => {
    const [file, to] = [join(folder, 'in.yaml'), join(folder, 'out.yaml')];
    await writeFile(file, yaml);
    const report = new Report(output, 'text');
    await expect(runRoleImport({ ...command, file, to }, report)).rejects.toThrow(problem);
    await expect(readFile(to)).rejects.toThrow('ENOENT');
  });
});
