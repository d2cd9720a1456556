/*
 * UDP_SEGMENT (udp(7)) for the endpoint's socket, through koffi: several datagrams in one system call. node:dgram has no
 * such option and no file descriptor, so the socket is made here and read by node:dgram.
 *   sockaddr_in    16 bytes   family u16 | port u16 big-endian | address 4 | zeros 8
 *   sockaddr_in6   28 bytes   family u16 | port u16 big-endian | flow u32 | address 16 | scope u32
 */
import { createRequire } from 'node:module';
import { isIPv4 } from 'node:net';
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

type Native = (...parameters: (number | string | Uint8Array)[]) => number;
interface Koffi {
  load(path: null): { func(name: string, result: string, parameters: string[]): Native };
  errno(): number;
}

/** Binds a socket to `address` and a port of the kernel's choice; undefined where koffi does not load or the kernel is too old. */
export function openSegmentSocket(address: string): SegmentSocket | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    // Its own types describe more than is used here.
    return bound(createRequire(import.meta.url)('koffi') as Koffi, address);
  } catch {
    return undefined; // node:dgram does without.
  }
}

function bound(koffi: Koffi, address: string): SegmentSocket | undefined {
  const library = koffi.load(null);
  const int = (name: string, parameters: string[]): Native => library.func(name, 'int', parameters);
  const toBytes = int('inet_pton', ['int', 'str', 'void *']);
  const setOption = int('setsockopt', ['int', 'int', 'int', 'void *', 'uint']);
  const close = int('close', ['int']);
  const family = isIPv4(address) ? AF_INET : AF_INET6;
  const fd = int('socket', ['int', 'int', 'int'])(family, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const option = new Uint8Array(4);
  const set = (level: number, name: number, value: number): boolean => {
    new DataView(option.buffer).setInt32(0, value, true);
    return setOption(fd, level, name, option, 4) === 0;
  };
  const nameOf = (text: string, port: number): Uint8Array => {
    const name = new Uint8Array(family === AF_INET ? 16 : 28);
    name.set([family, 0, port >>> 8, port & 0xff]);
    toBytes(family, text, name.subarray(family === AF_INET ? 4 : 8));
    return name;
  };
  const name = nameOf(address, 0);
  const ok = int('bind', ['int', 'void *', 'uint'])(fd, name, name.length) === 0;
  if (!ok || !set(SOL_UDP, UDP_SEGMENT, 0)) {
    close(fd);
    return undefined;
  }
  set(SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
  set(SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
  return { fd, nameOf, send: senderOf(koffi, fd, (bytes) => set(SOL_UDP, UDP_SEGMENT, bytes)) };
}

/** The segment size is set once and not per call: nearly all bursts are of full datagrams. */
function senderOf(
  koffi: Koffi,
  fd: number,
  setSegment: (bytes: number) => boolean,
): SegmentSocket['send'] {
  const sendto = koffi
    .load(null)
    .func('sendto', 'long', ['int', 'void *', 'size_t', 'int', 'void *', 'uint']);
  let present = 0;
  return (bytes, length, { name, segment }) => {
    if (length > segment && segment !== present) {
      if (!setSegment(segment)) return 'unsupported';
      present = segment;
    } else if (length <= segment && present !== 0 && length > present) {
      setSegment(0);
      present = 0;
    }
    if (sendto(fd, bytes, length, MSG_DONTWAIT, name, name.length) >= 0) return 'sent';
    const errno = koffi.errno();
    return errno === EAGAIN || errno === ENOBUFS ? 'full' : 'unsupported';
  };
}
