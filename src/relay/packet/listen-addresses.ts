/*
 * Where a relay listens if no address is chosen. A socket bound to all addresses answers from the one that the kernel
 * prefers, which on a host with several need not be the one that a peer sent to; the peer, or its firewall, would drop
 * the answer. One socket per address answers from it by itself. Asking for the address with each packet (IP_PKTINFO)
 * would cost every packet two control messages and is not to be had from node:dgram.
 */

/** What is known of an address of this host. */
export interface HostAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

/** More sockets than this are not opened: links below 256 are sockets (address.ts). */
const MOST = 64;

/**
 * The addresses to bind, in order; empty means all with one socket. `chosen` wins. Else a host with two or more global
 * addresses of a family gets all its global ones; those that it gets later are not listened on.
 */
export function listenAddresses(
  chosen: readonly string[],
  interfaces: Readonly<Record<string, readonly HostAddress[] | undefined>>,
): readonly string[] {
  if (chosen.length > 0) return chosen;
  const global = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !isLinkLocal(address));
  const several = ['IPv4', 'IPv6'].some(
    (family) => global.filter((address) => address.family === family).length > 1,
  );
  return several ? [...new Set(global.map(({ address }) => address))].slice(0, MOST) : [];
}

/** 169.254.0.0/16 and fe80::/10: no peer is ever there (denied.ts). */
const isLinkLocal = (address: string): boolean =>
  address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
