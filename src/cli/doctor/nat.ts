/*
 * What stands between this machine and the relays, by the address that each of them sees (RFC 4787, 4.1).
 */
import { finding, type Finding } from './finding.js';

/** What one relay said. */
export interface Sight {
  /** HOST:PORT of the relay. */
  readonly relay: string;
  /** `ADDRESS PORT` of this endpoint as the relay sees it; undefined: no answer. */
  readonly seen: string | undefined;
}

/** Judges what the relays saw of one socket; `own` are its addresses and port here, in the same form. */
export function judgeNat(sights: readonly Sight[], own: readonly string[]): Finding {
  const seen = sights.flatMap((sight) => sight.seen ?? []);
  const different = new Set(seen);
  const [first] = seen;
  if (first === undefined)
    return finding(
      'nat',
      'warning',
      'no relay answers over UDP',
      'Sessions go over TLS to the fallback port of a relay; let UDP out for better calls.',
    );
  if (seen.every((one) => own.includes(one)))
    return finding('nat', 'ok', `none: seen as it is, ${first}`);
  if (different.size > 1)
    return finding(
      'nat',
      'warning',
      `address-dependent mapping (symmetric): seen as ${[...different].join(' and ')}`,
      'Direct paths come about only with peers that are not behind such a NAT; relays are used otherwise.',
    );
  return seen.length > 1
    ? finding(
        'nat',
        'ok',
        `endpoint-independent mapping, seen as ${first}: direct paths can come about`,
      )
    : finding(
        'nat',
        'unknown',
        `seen as ${first}`,
        'Its kind needs a second relay: --relay HOST:PORT.',
      );
}

/** Sizes of UDP datagrams that are tried, the one that is needed first. */
export const DATAGRAM_BYTES = [1_232, 1_024, 548] as const;

/** Judges which sizes came back. */
export function judgeMtu(largest: number | undefined): Finding {
  const [needed] = DATAGRAM_BYTES;
  if (largest === undefined) return finding('mtu', 'unknown', 'no relay answers over UDP');
  if (largest >= needed)
    return finding('mtu', 'ok', `datagrams of ${needed} bytes, the longest that are sent, arrive`);
  return finding(
    'mtu',
    'failed',
    `datagrams of ${largest} bytes arrive, those of ${needed} do not`,
    'The way needs an MTU of 1,280 (as IPv6 asks for): look at tunnels and VPNs.',
  );
}
