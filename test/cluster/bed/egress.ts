/*
 * What comes out of the cluster: the outside counts every packet that is no answer to one of its own.
 */
import type { Cluster } from './cluster.js';

/** Begins to count at zero. Packets with which neighbours find each other on a cable (IPv6 link-local) are none. */
export function countEgress(cluster: Cluster): void {
  cluster.outside(['nft', '-f', '-'], {
    input: `table inet egress
delete table inet egress
table inet egress {
  counter calls { }
  chain arriving {
    type filter hook prerouting priority 0;
    iifname "down0" meta nfproto ipv6 ip6 daddr { fe80::/10, ff02::/16 } accept
    iifname "down0" ct state { new, invalid, untracked } counter name calls
  }
}
`,
  });
}

/** Packets since `countEgress` that the cluster sent of its own accord. */
export function egressPackets(cluster: Cluster): number {
  const text = cluster.outside(['nft', 'list', 'counter', 'inet', 'egress', 'calls']);
  const packets = /packets (\d+)/.exec(text)?.[1];
  if (packets === undefined) throw new Error(`There is no count in ${text}`);
  return Number(packets);
}
