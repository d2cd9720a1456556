/*
 * The functions of the C library that relay and endpoints call for their UDP sockets, and two for files, through koffi. Where a parameter is
 * a number that stands for a pointer, the caller keeps the bytes alive: in the ABI of 64-bit Linux they are the same, and
 * a number costs koffi no conversion. Addresses of user space are below 2^47.
 */
import { createRequire } from 'node:module';

/** System calls; each gives what the C function gives, -1 for an error whose number `errno` tells. */
export interface Kernel {
  socket(family: number, type: number, protocol: number): number;
  setOption(fd: number, level: number, name: number, value: number): number;
  bind(fd: number, name: Uint8Array, length: number): number;
  /** Writes the bound name to `name`. */
  getName(fd: number, name: Uint8Array): number;
  /** recvmmsg; `headers` is an address. */
  receive(fd: number, headers: number, count: number, flags: number): number;
  /** sendmmsg; `headers` is an address. */
  send(fd: number, headers: number, count: number, flags: number): number;
  /** sendto: the first `length` bytes of `bytes` to the address `name`. */
  sendTo(fd: number, bytes: Uint8Array, length: number, to: SendTarget): number;
  poll(descriptors: number, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, buffer: Uint8Array, length: number): number;
  close(fd: number): number;
  errno(): number;
  /** inet_pton: writes the bytes of an IP address to `out`. */
  writeAddress(family: number, text: string, out: Uint8Array): number;
  /** flock. */
  lock(fd: number, operation: number): number;
  /** renameat2 with RENAME_NOREPLACE; undefined where the C library has none. */
  readonly renameNew: ((from: string, to: string) => number) | undefined;
  /** Where the bytes lie. The caller keeps them alive. */
  addressOf(bytes: Uint8Array): number;
}

/** Where `sendTo` sends: a sockaddr, and MSG_ flags. */
export interface SendTarget {
  readonly name: Uint8Array;
  readonly flags: number;
}

/** Why there are no such calls here. */
export class NoKernelError extends Error {}

type Native = (...parameters: (number | string | Uint8Array | null)[]) => number;

interface Koffi {
  load(path: string | null): { func(name: string, result: string, parameters: string[]): Native };
  errno(): number;
  address(value: Uint8Array): bigint;
}

let loaded: Kernel | undefined;

/** Loads the functions, once per thread. @throws NoKernelError if this machine is not one of those that the layouts are for. */
export function loadKernel(): Kernel {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
    throw new NoKernelError(`no system calls on ${process.platform} ${process.arch}`);
  try {
    loaded ??= kernelOf(createRequire(import.meta.url)('koffi') as Koffi); // Its own types describe more than is used.
    return loaded;
  } catch (cause) {
    throw new NoKernelError('koffi does not load', { cause });
  }
}

function kernelOf(koffi: Koffi): Kernel {
  const library = koffi.load(null);
  const int = (name: string, parameters: string[]): Native => library.func(name, 'int', parameters);
  const long = (name: string, parameters: string[]): Native =>
    library.func(name, 'long', parameters);
  const recvmmsg = int('recvmmsg', ['int', 'size_t', 'uint', 'int', 'size_t']);
  const sendto = long('sendto', ['int', 'void *', 'size_t', 'int', 'void *', 'uint']);
  return {
    ...namesAndOptions(int),
    socket: int('socket', ['int', 'int', 'int']),
    bind: int('bind', ['int', 'void *', 'uint']),
    receive: (fd, headers, count, flags) => recvmmsg(fd, headers, count, flags, 0),
    send: int('sendmmsg', ['int', 'size_t', 'uint', 'int']),
    sendTo: (fd, bytes, length, { name, flags }) =>
      sendto(fd, bytes, length, flags, name, name.length),
    poll: int('poll', ['size_t', 'ulong', 'int']),
    eventfd: int('eventfd', ['uint', 'int']),
    read: long('read', ['int', 'void *', 'size_t']),
    close: int('close', ['int']),
    errno: () => koffi.errno(),
    writeAddress: int('inet_pton', ['int', 'str', 'void *']),
    lock: int('flock', ['int', 'int']),
    renameNew: renameNew(int),
    addressOf: (bytes) => Number(koffi.address(bytes)),
  };
}

const AT_FDCWD = -100;
const RENAME_NOREPLACE = 1;

function renameNew(int: (name: string, parameters: string[]) => Native): Kernel['renameNew'] {
  try {
    const renameat2 = int('renameat2', ['int', 'str', 'int', 'str', 'uint']);
    return (from, to) => renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  } catch {
    return undefined;
  }
}

/** The calls that take a whole number by reference. */
function namesAndOptions(
  int: (name: string, parameters: string[]) => Native,
): Pick<Kernel, 'setOption' | 'getName'> {
  const setsockopt = int('setsockopt', ['int', 'int', 'int', 'void *', 'uint']);
  const getsockname = int('getsockname', ['int', 'void *', 'void *']);
  const option = new Int32Array(1);
  const optionBytes = new Uint8Array(option.buffer);
  return {
    setOption: (fd, level, name, value) => {
      option[0] = value;
      return setsockopt(fd, level, name, optionBytes, 4);
    },
    getName: (fd, name) => {
      option[0] = name.length;
      return getsockname(fd, name, optionBytes);
    },
  };
}
