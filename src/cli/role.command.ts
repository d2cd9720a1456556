/*
 * `role import`: a file of roles and policies becomes AccessRole resources.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dump, load } from 'js-yaml';
import type { AccessRole } from '../kinds/access-role.gen.js';
import { importRoles } from '../policy/role-import.js';
import { ActionableError, EXIT_CODE, messageOf } from '../runtime/errors.js';
import { plainText } from '../runtime/json-line.js';
import type { RoleImportCommand } from './commands.js';
import { readCrdSchemas } from './crd.files.js';
import { readRoleFile } from './role-file.js';
import type { Report } from './terminal/report.js';

const MAX_FILE_CHARACTERS = 1 << 20;
const MAX_SHOWN_CHARACTERS = 300;

/** Carries it out; gives the exit code. @throws ActionableError ERR_RESOURCE_FILE with each place that is wrong; then nothing is written. */
export async function runRoleImport(command: RoleImportCommand, report: Report): Promise<number> {
  const roles = imported(await fileValue(command.file), command);
  await admit(roles);
  const yaml = roles.map((role) => `---\n${dump(role, { noRefs: true, lineWidth: 100 })}`).join('');
  if (command.to === undefined) {
    report.result(roles, yaml.trimEnd().split('\n'));
    return EXIT_CODE.ok;
  }
  await writeFile(command.to, yaml, { flag: 'wx' }).catch((cause: unknown) => {
    const hint = 'Name a file that does not exist yet.';
    throw new ActionableError('ERR_RESOURCE_FILE', `${messageOf(cause)}.`, hint, { cause });
  });
  const names = roles.map(({ metadata }) => metadata.name);
  report.result({ writtenTo: command.to, roles: names }, [
    `${names.length} roles (${names.join(', ')}) are in ${command.to}. Apply them: kubectl apply -f ${command.to}`,
  ]);
  return EXIT_CODE.ok;
}

function imported(value: unknown, command: RoleImportCommand): readonly AccessRole[] {
  const { file, namespace, gateways, everyone } = command;
  const read = readRoleFile(value);
  if ('length' in read) throw wrong(file, read);
  if (everyone !== undefined && !Object.hasOwn(read.Roles, everyone))
    throw wrong(file, [`Roles: "${everyone}", the role of everyone, is not there`]);
  const target = { namespace, gateways, ...(everyone !== undefined && { everyone }) };
  const roles = importRoles(read, target);
  if (!('problems' in roles)) return roles;
  throw wrong(
    file,
    roles.problems.map(({ at, problem }) => `${at}: ${problem}`),
  );
}

/** As an API server would: what it refuses is refused here. */
async function admit(roles: readonly AccessRole[]): Promise<void> {
  const schemas = await readCrdSchemas();
  for (const role of roles) schemas.admit(structuredClone(role), `role ${role.metadata.name}`);
}

async function fileValue(path: string): Promise<unknown> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > MAX_FILE_CHARACTERS) throw new Error('it is larger than 1 MiB');
    return load(text);
  } catch (cause) {
    throw new ActionableError(
      'ERR_RESOURCE_FILE',
      `${path} cannot be read: ${plainText(messageOf(cause), MAX_SHOWN_CHARACTERS)}.`,
      'Name a YAML file with "Roles:" and, if wanted, "Policies:".',
      { cause },
    );
  }
}

const wrong = (path: string, problems: readonly string[]) =>
  new ActionableError(
    'ERR_RESOURCE_FILE',
    `${path}: ${problems.map((problem) => plainText(problem, MAX_SHOWN_CHARACTERS)).join('; ')}.`,
    'Correct what is named; nothing was written.',
  );
