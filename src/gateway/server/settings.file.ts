import { ActionableError } from '../../runtime/errors.js';
import { parseIpAddress, parseIpRange } from '../../runtime/ip-address.js';
import { readSettingsFile } from '../../runtime/settings.file.js';
import type { SettingSchema } from '../../runtime/setting-text.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { badSetting } from './settings-check.js';

/** The schema in the form that `settingsHelp` prints; typebox's type does not say that it is plain JSON Schema. */
export const gatewaySettingsHelp = GATEWAY_SETTINGS as unknown as SettingSchema;

/**
 * The settings in the file at `path`.
 * @throws ActionableError ERR_SETTINGS_FILE or ERR_SETTING naming setting, value, bounds and remedy
 */
export async function readGatewaySettings(path: string): Promise<GatewaySettings> {
  const settings = await readSettingsFile(GATEWAY_SETTINGS, path);
  const bad = badSetting(settings, {
    isAddress: (text) => parseIpAddress(text) !== undefined,
    isRange: (text) => parseIpRange(text) !== undefined,
  });
  if (!bad) return settings;
  throw new ActionableError('ERR_SETTING', `${path}: ${bad.problem}.`, `Correct ${bad.setting}.`);
}
