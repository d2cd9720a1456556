/*
 * The functions of the C library that the packet worker calls. Pointers are passed as numbers: in the ABI of 64-bit
 * Linux they are the same, and a number costs koffi no conversion. Addresses of user space are below 2^47.
 */
import { createRequire } from 'node:module';

/** System calls; each gives what the C function gives, -1 for an error whose number `errno` tells. */
export interface Kernel {
  socket(family: number, type: number, protocol: number): number;
  setOption(fd: number, level: number, name: number, value: number): number;
  bind(fd: number, name: Uint8Array, length: number): number;
  /** Writes the bound name to `name`. */
  getName(fd: number, name: Uint8Array): number;
  receive(fd: number, headers: number, count: number, flags: number): number;
  send(fd: number, headers: number, count: number, flags: number): number;
  poll(descriptors: number, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, buffer: Uint8Array, length: number): number;
  close(fd: number): number;
  errno(): number;
  /** Where the bytes lie. The caller keeps them alive. */
  addressOf(bytes: Uint8Array): number;
}

/** Why there are no batches here. */
export class NoKernelError extends Error {}

type Native = (...parameters: (number | Uint8Array | null)[]) => number;

interface Koffi {
  load(path: string | null): { func(name: string, result: string, parameters: string[]): Native };
  errno(): number;
  address(value: Uint8Array): bigint;
}

/** Loads the functions. @throws NoKernelError if this machine is not one of those that the layouts are for. */
export function loadKernel(): Kernel {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
    throw new NoKernelError(`no batches on ${process.platform} ${process.arch}`);
  try {
    return kernelOf(createRequire(import.meta.url)('koffi') as Koffi); // Its own types describe more than is used.
  } catch (cause) {
    throw new NoKernelError('koffi does not load', { cause });
  }
}

function kernelOf(koffi: Koffi): Kernel {
  const library = koffi.load(null);
  const int = (name: string, parameters: string[]) => library.func(name, 'int', parameters);
  const setsockopt = int('setsockopt', ['int', 'int', 'int', 'void *', 'uint']);
  const getsockname = int('getsockname', ['int', 'void *', 'void *']);
  const recvmmsg = int('recvmmsg', ['int', 'size_t', 'uint', 'int', 'size_t']);
  const read = library.func('read', 'long', ['int', 'void *', 'size_t']);
  const option = new Int32Array(1);
  const optionBytes = new Uint8Array(option.buffer);
  return {
    socket: int('socket', ['int', 'int', 'int']),
    setOption: (fd, level, name, value) => {
      option[0] = value;
      return setsockopt(fd, level, name, optionBytes, 4);
    },
    bind: int('bind', ['int', 'void *', 'uint']),
    getName: (fd, name) => {
      option[0] = name.length;
      return getsockname(fd, name, optionBytes);
    },
    receive: (fd, headers, count, flags) => recvmmsg(fd, headers, count, flags, 0),
    send: int('sendmmsg', ['int', 'size_t', 'uint', 'int']),
    poll: int('poll', ['size_t', 'ulong', 'int']),
    eventfd: int('eventfd', ['uint', 'int']),
    read,
    close: int('close', ['int']),
    errno: () => koffi.errno(),
    addressOf: (bytes) => Number(koffi.address(bytes)),
  };
}
