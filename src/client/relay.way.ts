/*
 * The ways to one relay on real sockets. Which of them is tried or used, and when, is decided in relay-ways.ts.
 */
import type { RandomBytes } from '../protocol/session/path-proofs.js';
import type { LeaseProof } from './lease-proof.js';
import { requirePins } from './pin.js';
import type { RelayAddresses } from './relay-news.js';
import { RelayWays, type RelayLinks, type RelayWayEvents } from './relay-ways.js';
import { TlsLink } from './tls.path.js';
import type { Remote, UdpLink } from './udp.path.js';

export type { RelayWayEvents } from './relay-ways.js';

/** What the ways are made with. Times of `monotonicMs` and `wallMs` are milliseconds. */
export interface RelayWayParts {
  /** Of its routes: datagram-path.ts. */
  readonly generation: number;
  readonly lease: LeaseProof;
  readonly addresses: RelayAddresses;
  readonly random: RandomBytes;
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly events: RelayWayEvents;
}

/** The ways to one relay, on the UDP socket of the endpoint and on TLS connections of their own. */
export class RelayWay {
  readonly #parts: RelayWayParts;
  #ways: RelayWays | undefined;
  #udp: UdpLink | undefined;
  #remote: Remote | undefined;

  /** @throws EndpointError ERR_ENDPOINT_PIN for bad pins: no connection is ever made without. */
  constructor(parts: RelayWayParts) {
    if (parts.addresses.tls !== undefined) requirePins(parts.addresses.tls.pins);
    this.#parts = parts;
  }

  /** Begins over UDP; `udp` undefined, or no UDP address: over TLS at once. Call `pump` after it. */
  begin(udp: UdpLink | undefined): void {
    this.#ways = new RelayWays({ ...this.#parts, links: this.#links(udp) });
  }

  /** The UDP socket is another one. */
  moved(udp: UdpLink): void {
    this.#udp = udp;
    this.#ways?.moved(this.#parts.monotonicMs());
  }

  /** Whether datagrams of this address are the relay's. */
  isFrom(address: string, port: number): boolean {
    return this.#remote?.address === address && this.#remote.port === port;
  }

  /** Takes a frame of the relay that came over UDP. */
  receive(frame: Uint8Array): void {
    this.#ways?.receiveUdp(frame);
  }

  /** Sends what is due and gives when the next is. */
  pump(nowMs: number): number {
    return this.#ways?.pump(nowMs) ?? Infinity;
  }

  /** Proves a newer lease for the same session. The one before stays its owner's to close. */
  renew(lease: LeaseProof): void {
    this.#ways?.renew(lease, this.#parts.monotonicMs());
  }

  /** Gives the lease up, unanswered, and closes the connection. May be called again. */
  close(): void {
    this.#ways?.close();
  }

  #links(udp: UdpLink | undefined): RelayLinks {
    const { tls, udp: at } = this.#parts.addresses;
    const { wallMs } = this.#parts;
    const connectTls: RelayLinks['connectTls'] = tls && ((to) => new TlsLink(tls, to, wallMs));
    if (udp === undefined || at === undefined) return { ...(connectTls && { connectTls }) };
    this.#udp = udp;
    const remote = udp.remote(at.address, at.port);
    this.#remote = remote;
    return {
      udp: (bytes, length, segment) => this.#udp?.send(bytes, length, { remote, segment }),
      ...(connectTls && { connectTls }),
    };
  }
}
