import { isTooWide } from './cidr.js';
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

/** What is wrong with peers that pods may connect to, with what to write; undefined when all is well. */
export function egressProblem(
  peers: readonly Pick<ExtraPeer, 'cidr'>[] | undefined,
): string | undefined {
  return (peers ?? []).some(({ cidr }) => cidr !== undefined && isTooWide(cidr))
    ? 'egress to so wide a network would undo the default deny: name the networks that are needed, at least /8 for IPv4 and /32 for IPv6.'
    : undefined;
}

function peerOf({ cidr, namespace, podLabels }: ExtraPeer): Peer | undefined {
  if (cidr !== undefined) return { cidr };
  if (podLabels === undefined || Object.keys(podLabels).length === 0) return undefined;
  return { pods: podLabels, ...(namespace === undefined ? {} : { namespace }) };
}
