import type { Static, TSchema } from 'typebox';
import { ActionableError, messageOf } from './errors.js';
import { refuseInsecureSettings } from './insecure-settings.js';
import { readSettings } from './settings.js';
import { readSmallFile } from './small.file.js';

const WORDS = {
  what: 'settings file',
  hint: 'Name an existing file with --settings PATH; in a pod it is mounted from a ConfigMap.',
};

/**
 * The settings in the JSON file at `path`, checked and with defaults. One that asks for less security gets that as its
 * reason instead of being called unknown.
 * @throws ActionableError ERR_SETTINGS_FILE when there is no such JSON, ERR_SETTING when a value is wrong.
 */
export async function readSettingsFile<Schema extends TSchema>(
  schema: Schema,
  path: string,
): Promise<Static<Schema>> {
  const value = await readJsonFile(path);
  refuseInsecureSettings(value, path);
  return readSettings(schema, value, path);
}

/**
 * The JSON in the settings file at `path`, not yet checked.
 * @throws ActionableError ERR_SETTINGS_FILE when there is no such JSON.
 */
export async function readJsonFile(path: string): Promise<unknown> {
  const { text } = await readSmallFile(path, WORDS);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ActionableError(
      'ERR_SETTINGS_FILE',
      `The settings file ${path} is not JSON: ${messageOf(cause)}.`,
      'Correct the file; its settings are listed by --help.',
      { cause },
    );
  }
}
