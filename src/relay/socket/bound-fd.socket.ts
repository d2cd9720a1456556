/*
 * Making a UDP socket through the C library: its options, its address, and what went wrong.
 */
import { getSystemErrorName } from 'node:util';
import { parseIpAddress } from '../../runtime/ip-address.js';
import type { Kernel } from '../../runtime/kernel.library.js';
import { ERRNO, SOCKADDR_IN6_BYTES, SOCKADDR_IN_BYTES, SOCKET } from './native-layout.js';

/** Half a second of a full gigabit is asked for; the kernel gives what net.core.rmem_max allows. */
const SOCKET_BUFFER_BYTES = 64 << 20;

/** A bound socket: its descriptor, and AF_INET or AF_INET6. */
export interface BoundFd {
  readonly fd: number;
  readonly family: number;
}

/**
 * Binds a socket; `address` undefined means all, IPv6 and IPv4 if the kernel has both. The port may be 0.
 * @throws SocketError naming the call that failed.
 */
export function bindSocket(kernel: Kernel, address: string | undefined, port: number): BoundFd {
  if (address !== undefined) return bound(kernel, address, port);
  try {
    return bound(kernel, '::', port);
  } catch (error) {
    if (!(error instanceof SocketError) || error.errno !== ERRNO.EAFNOSUPPORT) throw error;
    return bound(kernel, '0.0.0.0', port);
  }
}

/** A call that failed while a socket was made. */
export class SocketError extends Error {
  readonly errno: number;

  constructor(call: string, kernel: Kernel) {
    const errno = kernel.errno();
    super(`${call} failed with ${getSystemErrorName(-errno)}`);
    this.errno = errno;
  }
}

function bound(kernel: Kernel, address: string, port: number): BoundFd {
  const ip = parseIpAddress(address);
  if (!ip) throw new RangeError(`${address} is not an address`);
  const family = address.includes(':') ? SOCKET.AF_INET6 : SOCKET.AF_INET;
  const fd = kernel.socket(family, SOCKET.SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) throw new SocketError('socket', kernel);
  try {
    setOptions(kernel, fd, family);
    const [name, length] = sockaddr(family, ip, port);
    if (kernel.bind(fd, name, length) < 0) throw new SocketError('bind', kernel);
    return { fd, family };
  } catch (error) {
    kernel.close(fd);
    throw error;
  }
}

function setOptions(kernel: Kernel, fd: number, family: number): void {
  const { SOL_SOCKET, SOL_UDP, IPPROTO_IP, IPPROTO_IPV6, PMTUDISC_PROBE } = SOCKET;
  if (family === SOCKET.AF_INET6) kernel.setOption(fd, SOCKET.IPPROTO_IPV6, SOCKET.IPV6_V6ONLY, 0);
  // What an older kernel does not know it goes without: smaller buffers, single datagrams, drops not counted.
  kernel.setOption(fd, SOL_SOCKET, SOCKET.SO_RCVBUF, SOCKET_BUFFER_BYTES);
  kernel.setOption(fd, SOL_SOCKET, SOCKET.SO_SNDBUF, SOCKET_BUFFER_BYTES);
  kernel.setOption(fd, SOL_SOCKET, SOCKET.SO_RXQ_OVFL, 1);
  kernel.setOption(fd, SOL_UDP, SOCKET.UDP_GRO, 1);
  // Datagrams go out whole or not at all (RFC 8899, 4.1): a fragment costs its receiver memory, and an identification for
  // fragments costs us a lock per packet. PROBE and not DO: forged ICMP cannot make the path look narrow. A socket of
  // IPv6 sends to IPv4 peers by the options of IPv4.
  kernel.setOption(fd, IPPROTO_IP, SOCKET.IP_MTU_DISCOVER, PMTUDISC_PROBE);
  if (family === SOCKET.AF_INET6)
    kernel.setOption(fd, IPPROTO_IPV6, SOCKET.IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
}

function sockaddr(family: number, ip: Uint8Array, port: number): [Uint8Array, number] {
  const name = new Uint8Array(SOCKADDR_IN6_BYTES);
  name.set([family, 0, port >>> 8, port & 0xff]);
  if (family === SOCKET.AF_INET) {
    name.set(ip.subarray(12), 4);
    return [name, SOCKADDR_IN_BYTES];
  }
  name.set(ip, 8);
  return [name, SOCKADDR_IN6_BYTES];
}
