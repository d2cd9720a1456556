/*
 * UDP_SEGMENT (udp(7)) for the endpoint's socket: several datagrams in one system call. node:dgram has no
 * such option and no file descriptor, so the socket is made here and read by node:dgram.
 *   sockaddr_in    16 bytes   family u16 | port u16 big-endian | address 4 | zeros 8
 *   sockaddr_in6   28 bytes   family u16 | port u16 big-endian | flow u32 | address 16 | scope u32
 */
import { isIPv4 } from 'node:net';
import { loadKernel, type Kernel } from '../runtime/kernel.library.js';
import type { SegmentOutcome } from './waiting-bursts.js';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
/** No room now: in the socket's buffer, or with the network card (<errno.h>). */
const EAGAIN = 11;
const ENOBUFS = 105;
/** 30 ms of a full gigabit; the kernel gives what net.core.rmem_max allows. */
const SOCKET_BUFFER_BYTES = 4 << 20;

/** A bound UDP socket that sends bursts. */
export interface SegmentSocket {
  /** For `bind({ fd })` of node:dgram, which closes it. */
  readonly fd: number;
  /** Sends the first `length` bytes of `bytes`, datagrams of `segment` bytes but for the last, to a name of `nameOf`. */
  send(
    bytes: Uint8Array,
    length: number,
    to: { name: Uint8Array; segment: number },
  ): SegmentOutcome;
  /** The sockaddr of an IP address of the socket's family. */
  nameOf(address: string, port: number): Uint8Array;
}

/** Binds a socket to `address` and a port of the kernel's choice; undefined where koffi does not load or the kernel is too old. */
export function openSegmentSocket(address: string): SegmentSocket | undefined {
  try {
    return bound(loadKernel(), address);
  } catch {
    return undefined; // node:dgram does without.
  }
}

function bound(kernel: Kernel, address: string): SegmentSocket | undefined {
  const family = isIPv4(address) ? AF_INET : AF_INET6;
  const fd = kernel.socket(family, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const set = (level: number, name: number, value: number): boolean =>
    kernel.setOption(fd, level, name, value) === 0;
  const nameOf = (text: string, port: number): Uint8Array => {
    const name = new Uint8Array(family === AF_INET ? 16 : 28);
    name.set([family, 0, port >>> 8, port & 0xff]);
    kernel.writeAddress(family, text, name.subarray(family === AF_INET ? 4 : 8));
    return name;
  };
  const name = nameOf(address, 0);
  const ok = kernel.bind(fd, name, name.length) === 0;
  if (!ok || !set(SOL_UDP, UDP_SEGMENT, 0)) {
    kernel.close(fd);
    return undefined;
  }
  set(SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
  set(SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
  return { fd, nameOf, send: senderOf(kernel, fd, (bytes) => set(SOL_UDP, UDP_SEGMENT, bytes)) };
}

/** The segment size is set once and not per call: nearly all bursts are of full datagrams. */
function senderOf(
  kernel: Kernel,
  fd: number,
  setSegment: (bytes: number) => boolean,
): SegmentSocket['send'] {
  let present = 0;
  return (bytes, length, { name, segment }) => {
    if (length > segment && segment !== present) {
      if (!setSegment(segment)) return 'unsupported';
      present = segment;
    } else if (length <= segment && present !== 0 && length > present) {
      setSegment(0);
      present = 0;
    }
    if (kernel.sendTo(fd, bytes, length, { name, flags: MSG_DONTWAIT }) >= 0) return 'sent';
    const errno = kernel.errno();
    return errno === EAGAIN || errno === ENOBUFS ? 'full' : 'unsupported';
  };
}
