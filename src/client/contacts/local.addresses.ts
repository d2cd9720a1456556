/*
 * Where this machine may be reached, and where relays are.
 */
import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { AnswerBody } from '../../messages/requests.js';
import { seenAddress, type SeenAddress } from '../../protocol/relay/address.js';
import { ipText, parseIpAddress } from '../../runtime/ip-address.js';
import type { RelayAddresses } from '../relay-news.js';

/** An address as 16 bytes and as text go to and fro. */
export const textOfCandidate = ({ family, address }: SeenAddress): string =>
  family === 4 ? address.subarray(0, 4).join('.') : ipText(address);

/** One text for one address and port. */
export const candidateName = (one: SeenAddress): string => `${textOfCandidate(one)} ${one.port}`;

/**
 * Candidates of a socket that is bound to `bind` and `port`: that address, or those of all interfaces when it is bound to
 * all. Link-local ones are left out: their zone means nothing to others.
 */
export function localCandidates(bind: string, port: number): readonly SeenAddress[] {
  const isForAll = bind === '0.0.0.0' || bind === '::';
  if (!isForAll) return candidateOf(bind, port);
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, address }) => {
      if (internal || (family === 'IPv6' && bind === '0.0.0.0')) return false;
      return !/^(fe[89ab]|169\.254\.)/i.test(address);
    })
    .flatMap(({ address }) => candidateOf(address, port));
}

function candidateOf(text: string, port: number): readonly SeenAddress[] {
  const bytes = parseIpAddress(text);
  return bytes === undefined ? [] : [seenAddress(bytes, port)];
}

/** Whether a socket bound to `bind` reaches this machine only. */
export const isLoopbackBind = (bind: string): boolean => bind === '::1' || bind.startsWith('127.');

/** The local address from which a relay is reached, if the person named none. */
export const bindFor = ({ udp }: RelayAddresses): string =>
  udp !== undefined && !isIPv4(udp.address) ? '::' : '0.0.0.0';

/** Where a relay is, as endpoints take it; a name is looked up. @throws what the system says if it has no address. */
export async function addressesOf(place: AnswerBody<'relay.find'>): Promise<RelayAddresses> {
  const { address: host, port, fallback } = place;
  const address = isIP(host) !== 0 ? host : (await lookup(host)).address;
  return {
    udp: { address, port },
    ...(fallback !== undefined && { tls: { host: address, ...fallback } }),
  };
}
