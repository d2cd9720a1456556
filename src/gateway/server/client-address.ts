/*
 * Whose connection it is: the peer's address, or behind trusted proxies what the outermost of them saw. X-Forwarded-For
 * of anybody else is not looked at; Forwarded, X-Real-IP and the PROXY protocol are looked at in no case.
 */
import {
  ipText,
  isInRange,
  parseIpAddress,
  parseIpRange,
  type IpRange,
} from '../../runtime/ip-address.js';

/** Which proxies are trusted. */
export interface TrustedProxies {
  readonly ranges: readonly IpRange[];
  /** How many of them stand in front; that many entries are read, from the right. */
  readonly hops: number;
  /** Whether everybody else is refused. */
  readonly required: boolean;
}

/** Where a request comes from. */
export interface RequestSource {
  /** 16 bytes of the TCP peer. */
  readonly peer: Uint8Array;
  /** Values of X-Forwarded-For, one for each header line, in the order of the lines. */
  readonly forwardedFor: readonly string[];
}

/** The client's address, or that there is none to be believed. */
export type ClientAddress =
  | { readonly address: Uint8Array; readonly viaTrustedProxy: boolean }
  /** It came past the proxies, or the proxies did not say whom they stand for. */
  | { readonly refused: 'proxy' };

/** The proxies of the settings. What is no range is left out: it trusts nobody. */
export function trustedProxies(settings: {
  readonly cidrs: readonly string[];
  readonly hops: number;
  readonly required: boolean;
}): TrustedProxies {
  const ranges = settings.cidrs.map(parseIpRange).filter((range) => range !== undefined);
  return { ranges, hops: settings.hops, required: settings.required };
}

/** Whether the 16 bytes are a trusted proxy's. */
export const isTrustedProxy = (address: Uint8Array, { ranges }: TrustedProxies): boolean =>
  ranges.some((range) => isInRange(address, range));

/**
 * The client of a request. With N hops the N entries on the right were written by trusted proxies, each naming its own
 * peer: the Nth from the right is the client, those to its right must be trusted proxies, and what stands to its left was
 * written by the client and is not read.
 */
export function clientAddress(
  { peer, forwardedFor }: RequestSource,
  proxies: TrustedProxies,
): ClientAddress {
  if (!isTrustedProxy(peer, proxies))
    return proxies.required ? { refused: 'proxy' } : { address: peer, viaTrustedProxy: false };
  if (proxies.hops === 0) return { address: peer, viaTrustedProxy: true };
  const entries = forwardedFor.join(',').split(',').slice(-proxies.hops).map(parseEntry);
  const [client, ...between] = entries;
  if (!client || entries.length < proxies.hops) return { refused: 'proxy' };
  const isChain = between.every((entry) => entry && isTrustedProxy(entry, proxies));
  return isChain ? { address: client, viaTrustedProxy: true } : { refused: 'proxy' };
}

/** Longest entry: an IPv6 address in brackets with a port. */
const MAX_ENTRY = 64;

/** One entry: an address, with a port where a proxy writes one. */
function parseEntry(text: string): Uint8Array | undefined {
  const entry = text.trim();
  if (entry.length > MAX_ENTRY) return undefined;
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/.exec(entry)?.[1];
  if (bracketed !== undefined) return parseIpAddress(bracketed);
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(entry)?.[1];
  return parseIpAddress(withPort ?? entry);
}

/** The 16 bytes of a socket's peer; undefined if it is gone. A zone is the host's own name of a link and is dropped. */
export const peerAddress = (remoteAddress: string | undefined): Uint8Array | undefined =>
  parseIpAddress(remoteAddress?.replace(/%.*$/, '') ?? '');

/** An address as text, for limits and conditions. */
export const addressText = ipText;
