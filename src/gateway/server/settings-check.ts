/*
 * What a schema cannot say of the gateway's settings.
 */
import { refusedFactorKinds } from '../factor-kinds.js';
import type { GatewaySettings } from '../settings.js';

/** Strict parsers of what settings hold as text. */
export interface TextChecks {
  readonly isAddress: (text: string) => boolean;
  readonly isRange: (text: string) => boolean;
}

/** A setting that is wrong, and how. */
export interface BadSetting {
  readonly setting: string;
  readonly problem: string;
}

/** Scheme, host, port if it is not the scheme's own (RFC 6454, section 6.2): what a browser sends, letter by letter. */
const ORIGIN = /^https:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$/;
const HOST = /^[a-z0-9:]([a-z0-9.:-]{0,251}[a-z0-9:])?$/;

/** The first setting that is wrong; undefined if all are right. */
export function badSetting(settings: GatewaySettings, checks: TextChecks): BadSetting | undefined {
  const { listeners, trustedProxies, allowedOrigins, hosts } = settings;
  const lists: readonly (readonly [
    string,
    readonly string[],
    (text: string) => boolean,
    string,
  ])[] = [
    ['listeners.public.addresses', listeners.public.addresses, checks.isAddress, 'no IP address'],
    [
      'listeners.internal.addresses',
      listeners.internal.addresses,
      checks.isAddress,
      'no IP address',
    ],
    ['listeners.health.addresses', listeners.health.addresses, checks.isAddress, 'no IP address'],
    ['trustedProxies.cidrs', trustedProxies.cidrs, checks.isRange, 'no address range'],
    [
      'allowedOrigins',
      allowedOrigins,
      (text: string) => ORIGIN.test(text),
      'no origin (https://HOST[:PORT])',
    ],
    ['hosts', hosts, (text) => HOST.test(text), 'no host name in lower case'],
  ];
  for (const [setting, values, isValid, what] of lists) {
    const value = values.find((text) => !isValid(text));
    if (value !== undefined)
      return {
        setting,
        problem: `${setting} holds ${JSON.stringify(value.slice(0, 80))}, which is ${what}`,
      };
  }
  const problem = refusedFactorKinds(settings.authentication.secondFactors.allowed);
  if (problem !== undefined) return { setting: 'authentication.secondFactors.allowed', problem };
  return contradiction(settings);
}

function contradiction({ trustedProxies, hosts }: GatewaySettings): BadSetting | undefined {
  const { required, cidrs, hops } = trustedProxies;
  if (hosts.length === 0)
    return { setting: 'hosts', problem: 'hosts is empty: no client could name this gateway' };
  if (required && cidrs.length === 0)
    return {
      setting: 'trustedProxies.cidrs',
      problem: 'trustedProxies.required is true and no proxy is trusted: nobody could connect',
    };
  if (hops > 0 && cidrs.length === 0)
    return {
      setting: 'trustedProxies.cidrs',
      problem: `trustedProxies.hops is ${hops} and no proxy is trusted`,
    };
  return undefined;
}
