import { restartPart } from '../../runtime/live-settings.js';
import { RELAY_SETTINGS, type RelaySettings } from '../settings.js';

/** What a new settings.json means for a relay that runs. */
export interface SettingsChange {
  /** The settings from now on: live values of the new file, everything else as it was. */
  readonly settings: RelaySettings;
  /** Whether the file also changes something that only a new process takes up. */
  readonly needsRestart: boolean;
}

/** Takes from `next` what a running relay may take. */
export function settingsChange(now: RelaySettings, next: RelaySettings): SettingsChange {
  const { capacity, rateLimits, stun, peerAddresses, logLevel } = next;
  const part = (settings: RelaySettings) => JSON.stringify(restartPart(RELAY_SETTINGS, settings));
  return {
    settings: { ...now, capacity, rateLimits, stun, peerAddresses, logLevel },
    needsRestart: part(now) !== part(next),
  };
}

/** The first address or range that is not one; undefined if all are. `isAddress` and `isRange` parse strictly. */
export function badAddress(
  { listeners, peerAddresses }: RelaySettings,
  isAddress: (text: string) => boolean,
  isRange: (text: string) => boolean,
): { readonly setting: string; readonly value: string } | undefined {
  const { relay, fallback, health } = listeners;
  const lists: readonly (readonly [string, readonly string[], (text: string) => boolean])[] = [
    ['listeners.relay.addresses', relay.addresses, isAddress],
    ['listeners.fallback.addresses', fallback.addresses, isAddress],
    ['listeners.health.addresses', health.addresses, isAddress],
    ['peerAddresses.own', peerAddresses.own, isAddress],
    ['peerAddresses.denied', peerAddresses.denied, isRange],
  ];
  for (const [setting, values, isValid] of lists) {
    const value = values.find((text) => !isValid(text));
    if (value !== undefined) return { setting, value };
  }
  return undefined;
}
