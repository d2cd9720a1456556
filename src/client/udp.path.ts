/*
 * The endpoint's UDP socket: one for the relay and all direct ways, so that the address that the relay sees is the one
 * that a peer can reach. Bursts go out in one system call where the kernel can, else one by one.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP, isIPv4, SocketAddress } from 'node:net';
import { EndpointError } from './endpoint-error.js';
import { openSegmentSocket, type SegmentSocket } from './segment.library.js';
import { WaitingBursts, type BurstTarget } from './waiting-bursts.js';

/** The kernel has room again when the network card has taken a few bursts. */
const RETRY_AFTER_MS = 1;

/** An address of somebody; made by `UdpLink.remote`, one object for one address of one socket. */
export interface Remote {
  /** As the socket writes it in what it receives: `::1`, `::ffff:192.0.2.1`. */
  readonly address: string;
  readonly port: number;
  /** For the system call; empty without one. */
  readonly name: Uint8Array;
  /** False for an IPv6 address on a socket for IPv4, and for one with a zone: nothing can be sent there. */
  readonly isReachable: boolean;
}

/** Takes a datagram; `bytes` are its own. */
export type UdpReceiver = (bytes: Uint8Array, address: string, port: number) => void;

/** A bound UDP socket. */
export class UdpLink {
  readonly #waiting: WaitingBursts<Remote>;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;
  #underWay = 0;
  #closed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly segments: SegmentSocket | undefined,
    private readonly isIpv4: boolean,
  ) {
    this.#waiting = new WaitingBursts(
      (bytes, length, { remote: { name }, segment }) =>
        segments?.send(bytes, length, { name, segment }) ?? 'unsupported',
    );
  }

  /**
   * Binds to `address` and a port of the kernel's choice; `::` reaches IPv4 as well.
   * @throws EndpointError if it is no IP address; what the system says if it cannot be bound.
   */
  static async open(
    address: string,
    receive: UdpReceiver,
    withBursts: 'bursts' | 'no-bursts' = 'bursts',
  ): Promise<UdpLink> {
    requireAddress(address, 1);
    const segments = withBursts === 'bursts' ? openSegmentSocket(address) : undefined;
    const socket = createSocket(isIPv4(address) ? 'udp4' : 'udp6');
    const listening = once(socket, 'listening');
    if (segments) socket.bind({ fd: segments.fd });
    else socket.bind({ address, port: 0 });
    await listening;
    // An ICMP error of an earlier datagram: that one is lost, the socket is not.
    socket.on('error', () => undefined);
    socket.on('message', (bytes, { address: from, port }) => {
      receive(bytes, from, port);
    });
    return new UdpLink(socket, segments, isIPv4(address));
  }

  /** Datagrams that the kernel had no room for, or could not send; those above see them as lost. */
  get dropped(): number {
    return this.#dropped + this.#waiting.dropped;
  }

  /** Whether bursts go out in one system call. */
  get sendsBursts(): boolean {
    return this.segments !== undefined;
  }

  /** The local port. */
  get port(): number {
    return this.socket.address().port;
  }

  /** @throws EndpointError if it is no IP address and port. */
  remote(address: string, port: number): Remote {
    requireAddress(address, port);
    // A zone (`fe80::1%eth0`) is a number of this machine, which no candidate of a peer can know.
    const isReachable = (!this.isIpv4 || isIPv4(address)) && !address.includes('%');
    const written = this.isIpv4 ? address : inIpv6(address);
    const name = isReachable ? this.segments?.nameOf(written, port) : undefined;
    return { address: written, port, name: name ?? new Uint8Array(0), isReachable };
  }

  /** Sends the first `length` bytes of `bytes`: datagrams of `segment` bytes, the last may be shorter. */
  send(bytes: Uint8Array, length: number, to: BurstTarget<Remote>): void {
    if (this.#closed) return;
    if (!to.remote.isReachable) this.#dropped += Math.ceil(length / to.segment);
    else if (this.#waiting.send(bytes, length, to) === 'unsupported')
      this.#sendSingly(bytes, length, to);
    this.#retryLater();
  }

  /** Nothing is received any more, and nothing sent but what was taken before. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#waiting.retry();
    if (this.#underWay === 0) this.socket.close();
    else this.socket.removeAllListeners('message');
  }

  #retryLater(): void {
    if (!this.#waiting.isWaiting || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#waiting.retry();
      this.#retryLater();
    }, RETRY_AFTER_MS);
  }

  #sendSingly(bytes: Uint8Array, length: number, { remote, segment }: BurstTarget<Remote>): void {
    for (let at = 0; at < length; at += segment) {
      // node:dgram sends later than it returns, and the buffer is written again.
      const datagram = bytes.slice(at, Math.min(length, at + segment));
      this.#underWay++;
      this.socket.send(datagram, remote.port, remote.address, (error) => {
        if (error) this.#dropped++;
        if (--this.#underWay === 0 && this.#closed) this.socket.close();
      });
    }
  }
}

/** The one text of an address on a socket for IPv6: IPv4 is mapped (RFC 4291, section 2.5.5.2). */
function inIpv6(address: string): string {
  const mapped = isIPv4(address) ? `::ffff:${address}` : address;
  return mapped.includes('%')
    ? mapped
    : new SocketAddress({ address: mapped, family: 'ipv6' }).address;
}

function requireAddress(address: string, port: number): void {
  if (isIP(address) === 0 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new EndpointError('ERR_ENDPOINT_ADDRESS', 'an address is an IP address and a port');
}
