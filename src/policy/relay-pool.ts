/*
 * The documented defaults of every field of a RelayPool that a CompliancePolicy can constrain. The CRD has none
 * for them (see defaults.ts).
 */

import type { DeclaredPeer } from './defaults.js';

/** Effective values of a RelayPool: every constrainable field that has a default. */
export interface RelayPoolValues {
  readonly hardening: {
    readonly appArmor?: 'RuntimeDefault';
    readonly runtimeClassName?: string;
    readonly strictSupplementalGroups: boolean;
    readonly userNamespaces: boolean;
  };
  readonly networkPolicy: { readonly extraEgress: readonly DeclaredPeer[] };
  readonly observability: { readonly logLevel: 'Error' | 'Warn' | 'Info' | 'Debug' };
  readonly rateLimits: {
    readonly fallbackConnectionsPerAddressPerMinute: number;
    readonly handshakesPerAddressPerSecond: number;
    readonly handshakesPerSecond: number;
    readonly packetsPerSessionPerSecond: number;
    readonly stunRequestsPerAddressPerSecond: number;
  };
  readonly scheduling: { readonly regions: readonly string[] };
}

/** Defaults of a RelayPool. */
export const RELAY_POOL_DEFAULTS: RelayPoolValues = {
  hardening: { strictSupplementalGroups: false, userNamespaces: false },
  networkPolicy: { extraEgress: [] },
  observability: { logLevel: 'Info' },
  rateLimits: {
    fallbackConnectionsPerAddressPerMinute: 30,
    handshakesPerAddressPerSecond: 10,
    handshakesPerSecond: 2000,
    packetsPerSessionPerSecond: 20_000,
    stunRequestsPerAddressPerSecond: 5,
  },
  scheduling: { regions: [] },
};
