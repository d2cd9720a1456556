/*
 * What is right and wrong about the TLS of a gateway, judged from what it did at several handshakes.
 */
import type { X509Certificate } from 'node:crypto';
import type { GatewayPlace } from '../../client/gateway/gateway-place.js';
import {
  judgeServedChain,
  pinOfCertificate,
  type ChainRefusal,
} from '../../client/gateway/served-chain.js';
import { finding, type Finding } from './finding.js';

/** What became of one try. */
export type Handshake =
  | {
      readonly outcome: 'established';
      readonly protocol: string;
      readonly cipher: string;
      /** The leaf first. */
      readonly served: readonly X509Certificate[];
    }
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'unreachable'; readonly why: string };

/** What a server did. */
export interface Observed {
  /** As clients dial: TLS 1.3 and its good ciphers. */
  readonly modern: Handshake;
  /** Nothing newer than TLS 1.2 was offered. */
  readonly old: Handshake;
  /** Only ciphers with short tags were offered. */
  readonly weak: Handshake;
  /** The first bytes of the answer to an upgrade without TLS. */
  readonly plain: string;
}

const DAY_MS = 86_400_000;
/** Leaves are renewed when two thirds of their life are over: less than a tenth left means that nobody renews. */
const LATE_PART = 0.1;

const CHAIN_HINTS: Readonly<Record<ChainRefusal, string>> = {
  'no-certificate': 'This is no gateway, or something stands before it.',
  'leaf-not-pinned':
    'Ask its administrator for the pins (status.certificates[].pins). If they are those that you have, somebody stands between.',
  'leaf-other-name': 'Dial the name that the certificate has, or add the name to spec.hosts.',
  'leaf-wrong-usage': 'The certificate must allow server authentication.',
  'leaf-not-yet-valid': 'Check the clock of this machine and of the gateway.',
  'leaf-expired':
    'The gateway has to get a new certificate; check the clock of this machine as well.',
  'authority-expired': 'The authority has to be renewed.',
  'authority-path-length': 'The pinned authority does not allow so many authorities below it.',
  'authority-name-constraints': 'The pinned authority does not allow its subordinates this name.',
};

/** Findings about reachability, protocol, ciphers, certificate and plain text; the first that stops all others alone. */
export function judgePosture(
  { modern, old, weak, plain }: Observed,
  place: GatewayPlace,
  nowMs: number,
): readonly Finding[] {
  if (modern.outcome === 'unreachable')
    return [
      finding('reach', 'failed', `nobody answers: ${modern.why}`, 'Check host, port and network.'),
    ];
  return [
    finding('reach', 'ok', `${place.host}, TCP port ${place.port}, answers`),
    modern.outcome === 'established'
      ? finding('tls', 'ok', `${modern.protocol}, ${modern.cipher}`)
      : finding('tls', 'failed', `no TLS 1.3: ${modern.why}`, 'Clients speak nothing older.'),
    judgeOld(old),
    judgeWeak(weak),
    judgePlain(plain),
    ...(modern.outcome === 'established' ? judgeCertificate(modern.served, place, nowMs) : []),
  ];
}

const judgeOld = (old: Handshake): Finding =>
  old.outcome === 'established'
    ? finding(
        'old tls',
        'failed',
        `${old.protocol} is accepted (${old.cipher})`,
        'Allow TLS 1.3 only; what is before the gateway may be the one that accepts it.',
      )
    : finding('old tls', 'ok', 'TLS 1.2 and older are refused');

const judgeWeak = (weak: Handshake): Finding =>
  weak.outcome === 'established'
    ? finding(
        'weak ciphers',
        'failed',
        `${weak.cipher} is accepted: its tags have 64 bits`,
        'Take it out of the list of ciphers.',
      )
    : finding('weak ciphers', 'ok', 'ciphers with short tags are refused');

const judgePlain = (plain: string): Finding =>
  /^HTTP\/1\.[01] (101|[23]\d\d)/.test(plain)
    ? finding('plain text', 'failed', 'it speaks without TLS', 'Take the plain listener away.')
    : finding('plain text', 'ok', 'connections without TLS are refused');

function judgeCertificate(
  served: readonly X509Certificate[],
  place: GatewayPlace,
  nowMs: number,
): readonly Finding[] {
  const verdict = judgeServedChain(served, place, nowMs);
  const [leaf] = served;
  const shown = served.map(pinOfCertificate);
  if (leaf === undefined || verdict !== 'ok') {
    const why = verdict === 'ok' ? 'no-certificate' : verdict;
    return [
      finding('certificate', 'failed', `${why}; it shows ${shown.join(', ')}`, CHAIN_HINTS[why]),
    ];
  }
  const spare = place.pins.filter((pin) => !shown.includes(pin));
  return [
    judgeDates(leaf, nowMs),
    finding('pins', 'ok', `${place.pins.length - spare.length} shown, ${spare.length} for later`),
  ];
}

function judgeDates(leaf: X509Certificate, nowMs: number): Finding {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const left = Math.floor((to - nowMs) / DAY_MS);
  const key = leaf.publicKey.asymmetricKeyType ?? 'unknown';
  const text = `${key} key, valid until ${new Date(to).toISOString()}, ${left} days`;
  return to - nowMs < LATE_PART * (to - from)
    ? finding(
        'certificate',
        'warning',
        text,
        'It should have been renewed long ago: see its conditions.',
      )
    : finding('certificate', 'ok', text);
}
