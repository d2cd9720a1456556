/*
 * Addresses to which a relay never sends (architecture, 9). A relay sends only to who proved an address with a cookie;
 * this is the second wall, for peers that sit where nobody's datagrams should go: a host's loopback, its metadata
 * service, the cluster's services, the relay itself. A denied source is dropped before anything else is looked at.
 */
import {
  isInRange,
  parseIpAddress,
  parseIpRange,
  singleAddress,
  type IpRange,
} from '../../runtime/ip-address.js';
import { ipBytes, PORT_WORD } from './address.js';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Ranges that no peer has, by their registries. */
const NEVER = [
  '0.0.0.0/8', // RFC 1122, 3.2.1.3: this network
  '224.0.0.0/4', // RFC 5771: multicast
  '240.0.0.0/4', // RFC 1112, 4, and the limited broadcast address
  '169.254.0.0/16', // RFC 3927: link-local, with the metadata service of most clouds
  '100.100.100.200/32', // metadata service of Alibaba Cloud
  '168.63.129.16/32', // host service of Azure
  '192.0.0.192/32', // metadata service of Oracle Cloud
  '::/96', // RFC 4291, 2.5.2 and 2.5.5.1: unspecified, IPv4-compatible
  'fe80::/10', // RFC 4291, 2.5.6: link-local
  'fec0::/10', // RFC 3879: site-local, deprecated
  'ff00::/8', // RFC 4291, 2.7: multicast
  'fd00:ec2::254/128', // metadata service of AWS
  'fd20:ce::254/128', // metadata service of Google Cloud
];

/** Where an IPv4 address hides inside an IPv6 one, and at which byte. */
const EMBEDDING = [
  { range: '64:ff9b::/96', at: 12 }, // RFC 6052, 2.1: NAT64
  { range: '2002::/16', at: 2 }, // RFC 3056: 6to4
];

function rangeOf(text: string): IpRange {
  const range = parseIpRange(text);
  if (!range) throw new RangeError(`${text} is not an address range`);
  return range;
}

const ranges = (texts: readonly string[]): IpRange[] => texts.map(rangeOf);

const LOOPBACK_RANGES = ranges(LOOPBACK);
const NEVER_RANGES = ranges(NEVER);
const EMBEDDING_RANGES = EMBEDDING.map(({ range, at }) => ({ range: rangeOf(range), at }));

/** What the list is made from. */
export interface DeniedSettings {
  /** Listen addresses; empty means all. */
  readonly listening: readonly string[];
  /** Ranges from `peerAddresses.denied`. */
  readonly denied: readonly string[];
  /** Addresses from `peerAddresses.own`. */
  readonly own: readonly string[];
  /** Ports on which this relay listens: on loopback they tell it from its peers. */
  readonly ports: readonly number[];
}

/** Decides of an address whether the relay never sends to it. */
export class DeniedAddresses {
  readonly #chosen: readonly IpRange[];
  readonly #onlyLoopback: boolean;
  readonly #ports: ReadonlySet<number>;

  /** @throws RangeError if a range or an address is none. */
  constructor({ listening, denied, own, ports }: DeniedSettings) {
    const listens = listening.map(address);
    this.#onlyLoopback = listens.length > 0 && listens.every(isLoopback);
    const self = [...own.map(address), ...listens].filter(isSpecified);
    // On loopback peers may have the relay's address: its ports tell it from them.
    const alone = this.#onlyLoopback ? self.filter((bytes) => !isLoopback(bytes)) : self;
    this.#chosen = [...ranges(denied), ...alone.map(singleAddress)];
    this.#ports = new Set(ports);
  }

  /** Whether the relay never sends to the address at `at`; port 0 is none. */
  has(words: Uint32Array, at = 0): boolean {
    const port = words[at + PORT_WORD] ?? 0;
    const bytes = ipBytes(words, at);
    if (port === 0 || this.#chosen.some((range) => isInRange(bytes, range))) return true;
    if (isLoopback(bytes)) return !this.#onlyLoopback || this.#ports.has(port);
    return NEVER_RANGES.some((range) => isInRange(bytes, range)) || this.#embedsDenied(bytes);
  }

  /** Whether it leads a translator to an IPv4 address that is denied itself. */
  #embedsDenied(bytes: Uint8Array): boolean {
    const found = EMBEDDING_RANGES.find(({ range }) => isInRange(bytes, range));
    if (!found) return false;
    const four = bytes.subarray(found.at, found.at + 4);
    const inner = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...four);
    const denied = [...this.#chosen, ...NEVER_RANGES, ...LOOPBACK_RANGES];
    return denied.some((range) => isInRange(inner, range));
  }
}

const isLoopback = (bytes: Uint8Array): boolean =>
  LOOPBACK_RANGES.some((range) => isInRange(bytes, range));

/** Not 0.0.0.0 and not ::, which mean "all addresses" where one listens. */
const isSpecified = (bytes: Uint8Array): boolean =>
  bytes.some((byte, i) => byte !== 0 && i !== 10 && i !== 11);

function address(text: string): Uint8Array {
  const bytes = parseIpAddress(text);
  if (!bytes) throw new RangeError(`${text} is not an address`);
  return bytes;
}
