/*
 * Kinds of network address translators (RFC 3489, section 5; RFC 4787, sections 4 and 5) as rules of nftables for a
 * router with the interfaces `lan` and `wan` and one machine behind it.
 *
 *   kind              mapping of a port        lets in
 *   full-cone         one for all, same port   everybody, at a port that was used
 *   restricted        one for all, same port   the addresses that were sent to from that port, any port of theirs
 *   port-restricted   one for all, same port   the addresses and ports that were sent to
 *   symmetric         one for each destination the address and port that it is for
 */

/** The four kinds, from the most open one. */
export const NAT_KINDS = ['full-cone', 'restricted', 'port-restricted', 'symmetric'] as const;
export type NatKind = (typeof NAT_KINDS)[number];

/** What a router does with UDP besides. */
export type UdpRule = 'forwarded' | 'blocked';

/**
 * The rule set of a router of this kind in front of `inside`. What comes unasked is dropped before the kernel remembers
 * it: an entry for it would take the port from the machine inside. TCP is translated alike by all kinds.
 */
export function natRules(kind: NatKind, inside: string, udp: UdpRule = 'forwarded'): string {
  const opened = {
    'full-cone': `iifname "wan" udp dport @mapped dnat to ${inside}`,
    restricted: `iifname "wan" ip saddr . udp dport @contacted dnat to ${inside}`,
    'port-restricted': '',
    symmetric: '',
  }[kind];
  const ports = kind === 'symmetric' ? 'fully-random' : '';
  return `flush ruleset
table ip translator {
  set mapped { type inet_service; flags dynamic,timeout; timeout 5m; size 65535; }
  set contacted { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m; size 65535; }
  chain prerouting { type nat hook prerouting priority dstnat; ${opened}
  }
  chain postrouting { type nat hook postrouting priority srcnat;
    oifname "wan" meta l4proto udp masquerade ${ports}
    oifname "wan" masquerade
  }
  chain forward { type filter hook forward priority filter;
    ${udp === 'blocked' ? 'meta l4proto udp drop' : ''}
    iifname "lan" meta l4proto udp update @mapped { udp sport }
    iifname "lan" meta l4proto udp update @contacted { ip daddr . udp sport }
  }
  chain input { type filter hook input priority filter; iifname "wan" drop
  }
}
`;
}

/** Counts every datagram that a machine sends, by address and port: `destinationsOf` reads it. */
export const CAPTURE_RULES = `flush ruleset
table ip capture {
  set sent { type ipv4_addr . inet_service; flags dynamic; size 4096; counter; }
  chain output { type filter hook output priority filter; meta l4proto udp update @sent { ip daddr . udp dport }
  }
}
`;

interface ListedSet {
  readonly nftables: readonly {
    readonly set?: {
      readonly elem?: readonly {
        readonly elem: {
          readonly val: { readonly concat: readonly [string, number] };
          readonly counter: { readonly packets: number };
        };
      }[];
    };
  }[];
}

/** How many datagrams went where, of `nft -j list set ip capture sent`; the keys are `ADDRESS:PORT`. */
export function destinationsOf(json: string): Readonly<Record<string, number>> {
  // The program's own format, libnftables-json(5).
  const { nftables } = JSON.parse(json) as ListedSet;
  const listed = nftables.flatMap(({ set }) => set?.elem ?? []);
  return Object.fromEntries(
    listed.map(({ elem: { val, counter } }) => [val.concat.join(':'), counter.packets]),
  );
}
