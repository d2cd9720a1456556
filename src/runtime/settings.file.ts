import { readFile } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { ActionableError, messageOf } from './errors.js';
import { readSettings } from './settings.js';

/** Settings are a few kilobytes; more is a wrong file. */
const MAX_SETTINGS_BYTES = 1_048_576;

/**
 * The settings in the JSON file at `path`, checked and with defaults.
 * @throws ActionableError ERR_SETTINGS_FILE when there is no such JSON, ERR_SETTING when a value is wrong.
 */
export async function readSettingsFile<Schema extends TSchema>(
  schema: Schema,
  path: string,
): Promise<Static<Schema>> {
  return readSettings(schema, await readJsonFile(path), path);
}

/**
 * The JSON in the settings file at `path`, not yet checked.
 * @throws ActionableError ERR_SETTINGS_FILE when there is no such JSON.
 */
export async function readJsonFile(path: string): Promise<unknown> {
  return parse(path, await text(path));
}

async function text(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= MAX_SETTINGS_BYTES) return bytes.toString('utf8');
  } catch (cause) {
    throw new ActionableError(
      'ERR_SETTINGS_FILE',
      `The settings file ${path} cannot be read: ${messageOf(cause)}.`,
      'Name an existing file with --settings PATH; in a pod it is mounted from a ConfigMap.',
      { cause },
    );
  }
  throw new ActionableError(
    'ERR_SETTINGS_FILE',
    `The settings file ${path} is larger than ${MAX_SETTINGS_BYTES} bytes.`,
    'Name the settings.json of this program with --settings PATH.',
  );
}

function parse(path: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ActionableError(
      'ERR_SETTINGS_FILE',
      `The settings file ${path} is not JSON: ${messageOf(cause)}.`,
      'Correct the file; its settings are listed by --help.',
      { cause },
    );
  }
}
