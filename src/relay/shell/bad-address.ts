import type { RelaySettings } from '../settings.js';

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
