import type { NetworkRule, Peer, PolicyPort } from './network-policy.js';

/** One entry of `spec.networkPolicy.extraIngress` or `extraEgress` of a resource. */
export interface ExtraPeer {
  readonly cidr?: string | undefined;
  /** Absent with `podLabels`: the namespace of the resource. */
  readonly namespace?: string | undefined;
  readonly podLabels?: Readonly<Record<string, string>> | undefined;
  readonly ports: readonly { readonly port: number; readonly protocol?: 'TCP' | 'UDP' }[];
}

/**
 * The rules for peers that a resource names besides those that its room knows. An entry that names nobody or no
 * port opens nothing: in a NetworkPolicy both would mean everything.
 */
export function extraRules(peers: readonly ExtraPeer[] | undefined): readonly NetworkRule[] {
  return (peers ?? []).flatMap((extra) => {
    const peer = peerOf(extra);
    const [first, ...rest] = extra.ports.map(({ port, protocol = 'TCP' }): PolicyPort => ({
      port,
      protocol,
    }));
    return peer === undefined || first === undefined
      ? []
      : [{ peers: [peer], ports: [first, ...rest] as const }];
  });
}

function peerOf({ cidr, namespace, podLabels }: ExtraPeer): Peer | undefined {
  if (cidr !== undefined) return { cidr };
  if (podLabels === undefined || Object.keys(podLabels).length === 0) return undefined;
  return { pods: podLabels, ...(namespace === undefined ? {} : { namespace }) };
}
