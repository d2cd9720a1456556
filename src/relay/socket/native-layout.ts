/*
 * Structures of the Linux ABI on 64-bit little-endian machines (x86-64, AArch64), as offsets into typed arrays.
 *
 * | struct mmsghdr | 64 bytes | name *, namelen u32, -, iov *, iovlen u64, control *, controllen u64, flags u32, -, len u32, - |
 * | struct iovec   | 16 bytes | base *, len u64                                                                      |
 * | sockaddr_in6   | 28 bytes | family u16, port u16 (big-endian), flowinfo u32, address 16, scope u32               |
 * | sockaddr_in    | 16 bytes | family u16, port u16 (big-endian), address 4, zeros 8                                |
 * | struct cmsghdr | 16 bytes | len u64 (with these 16), level u32, type u32; data follows, padded to 8              |
 * | struct pollfd  | 8 bytes  | fd i32, events i16, revents i16                                                      |
 */

/** Constants of <sys/socket.h>, <netinet/in.h>, <netinet/udp.h>, <poll.h>. */
export const SOCKET = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_DGRAM_NONBLOCK_CLOEXEC: 2 | 0o4000 | 0o2000000,
  SOL_SOCKET: 1,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_RXQ_OVFL: 40,
  IPPROTO_IP: 0,
  IP_MTU_DISCOVER: 10,
  IPPROTO_IPV6: 41,
  IPV6_MTU_DISCOVER: 23,
  IPV6_V6ONLY: 26,
  PMTUDISC_PROBE: 3,
  SOL_UDP: 17,
  UDP_SEGMENT: 103,
  UDP_GRO: 104,
  MSG_DONTWAIT: 0x40,
  POLLIN: 1,
  POLLOUT: 4,
  EFD_NONBLOCK_CLOEXEC: 0o4000 | 0o2000000,
} as const;

/** Errors that are told apart, of <errno.h>. */
export const ERRNO = {
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EINVAL: 22,
  EMSGSIZE: 90,
  EAFNOSUPPORT: 97,
  ENOBUFS: 105,
} as const;

export const MMSG_BYTES = 64;
export const IOV_BYTES = 16;
/** Room for either sockaddr. */
export const NAME_BYTES = 32;
/** Room for UDP_GRO and SO_RXQ_OVFL, 24 bytes each. */
export const CONTROL_BYTES = 64;
export const SOCKADDR_IN6_BYTES = 28;
export const SOCKADDR_IN_BYTES = 16;
/** Bytes before the data of a control message. */
const CMSG_HEADER = 16;
/** A control message with one u16 (UDP_SEGMENT): its length, and the room that it takes. */
export const SEGMENT_CMSG = { length: CMSG_HEADER + 2, space: 24 } as const;

/** Words of a struct mmsghdr. */
export const MMSG = {
  name: 0,
  nameLength: 2,
  iov: 4,
  iovLength: 6,
  control: 8,
  controlLength: 10,
  length: 14,
};

/** Memory for `count` messages to be received, with one buffer each: headers, vectors, names and control messages. */
export class ReceiveVector {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #iov: number;
  readonly #names: number;
  readonly #control: number;
  /** Address of the first header. */
  #base = 0;

  constructor(readonly count: number) {
    const perMessage = MMSG_BYTES + IOV_BYTES + NAME_BYTES + CONTROL_BYTES;
    this.bytes = new Uint8Array(new ArrayBuffer(count * perMessage));
    this.words = new Uint32Array(this.bytes.buffer);
    this.#iov = count * MMSG_BYTES;
    this.#names = this.#iov + count * IOV_BYTES;
    this.#control = this.#names + count * NAME_BYTES;
  }

  /** Writes the pointers; `base` is where `bytes` lie in memory. They never move: V8 does not move backing stores. */
  locate(base: number): void {
    this.#base = base;
    for (let i = 0; i < this.count; i++) {
      const header = (i * MMSG_BYTES) / 4;
      setPointer(this.words, header + MMSG.name, base + this.#names + i * NAME_BYTES);
      setPointer(this.words, header + MMSG.iov, base + this.#iov + i * IOV_BYTES);
      this.words[header + MMSG.iovLength] = 1;
      setPointer(this.words, header + MMSG.control, base + this.#control + i * CONTROL_BYTES);
    }
  }

  /** Address of the header of message `i`. */
  headerAddress(i: number): number {
    return this.#base + i * MMSG_BYTES;
  }

  /** First word of the name of message `i`. */
  nameAt(i: number): number {
    return (this.#names + i * NAME_BYTES) >>> 2;
  }

  /** Sets the one buffer of message `i`. */
  setBuffer(i: number, address: number, length: number): void {
    const at = (this.#iov + i * IOV_BYTES) >>> 2;
    setPointer(this.words, at, address);
    this.words[at + 2] = length;
  }

  /** Makes message `i` ready to be received into. */
  offer(i: number): void {
    const header = (i * MMSG_BYTES) >>> 2;
    this.words[header + MMSG.nameLength] = SOCKADDR_IN6_BYTES;
    this.words[header + MMSG.controlLength] = CONTROL_BYTES;
  }

  /** Bytes received into message `i`. */
  lengthOf(i: number): number {
    return this.words[((i * MMSG_BYTES) >>> 2) + MMSG.length] ?? 0;
  }

  /** The first 32 bits of the control message of this level and type in message `i`, or -1 if there is none. */
  controlValue(i: number, level: number, type: number): number {
    let left = this.words[((i * MMSG_BYTES) >>> 2) + MMSG.controlLength] ?? 0;
    let at = (this.#control + i * CONTROL_BYTES) >>> 2;
    while (left >= CMSG_HEADER + 4) {
      if (this.words[at + 2] === level && this.words[at + 3] === type)
        return this.words[at + 4] ?? 0;
      const space = ((this.words[at] ?? 0) + 7) & ~7;
      if (space < CMSG_HEADER) return -1;
      left -= space;
      at += space >>> 2;
    }
    return -1;
  }

  /** Whether message `i` came with control messages: most do not. */
  hasControl(i: number): boolean {
    return this.words[((i * MMSG_BYTES) >>> 2) + MMSG.controlLength] !== 0;
  }
}

/** Writes an address of memory into two words. */
export function setPointer(words: Uint32Array, at: number, address: number): void {
  words[at] = address >>> 0;
  words[at + 1] = Math.floor(address / 0x1_0000_0000);
}

/** A port in the order in which it lies in memory, and back. */
export const swapPort = (port: number): number => ((port & 0xff) << 8) | (port >>> 8);
