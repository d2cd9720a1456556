/*
 * The receiver of client-files-pipe.ts on a system without hard links: link(2) and linkat(2) say EPERM, as on exFAT. A
 * filter of the kernel (seccomp(2)) sees to that, for this process alone: `client-files-no-links.ts FOLDER`.
 *
 *   filter   8 bytes each: code u16 | jump if true u8 | jump if false u8 | operand u32
 *   program  length u16 | 6 bytes of padding | address of the filters
 */
import { createRequire } from 'node:module';
import { receive } from './client-files-pipe.js';

const SECCOMP = process.arch === 'arm64' ? 277 : 317;
const LINKS = process.arch === 'arm64' ? [37] : [86, 265];
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
/** All threads of the process: node has some already. */
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO_EPERM = 0x00050001;

type Native = (...parameters: (number | Uint8Array)[]) => number;
interface Koffi {
  load(path: null): { func(declaration: string): Native };
  address(value: Uint8Array): bigint;
}

function filter(): Uint8Array {
  const lines = [
    [LOAD_WORD, 0, 0, 0],
    ...LINKS.map((number, at) => [JUMP_IF_EQUAL, LINKS.length - at, 0, number]),
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, ERRNO_EPERM],
  ];
  const bytes = Buffer.alloc(8 * lines.length);
  for (const [at, [code = 0, yes = 0, no = 0, operand = 0]] of lines.entries()) {
    bytes.writeUInt16LE(code, 8 * at);
    bytes.writeUInt8(yes, 8 * at + 2);
    bytes.writeUInt8(no, 8 * at + 3);
    bytes.writeUInt32LE(operand, 8 * at + 4);
  }
  return bytes;
}

function forbidLinks(): void {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi; // Its own types describe more than is used.
  const library = koffi.load(null);
  const prctl = library.func('int prctl(int, ulong, ulong, ulong, ulong)');
  const seccomp = library.func('long syscall(long, uint, uint, void *)');
  const lines = filter();
  const program = Buffer.alloc(16);
  program.writeUInt16LE(lines.length / 8);
  program.writeBigUInt64LE(koffi.address(lines), 8);
  const isSet =
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) === 0 &&
    seccomp(SECCOMP, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program) === 0;
  if (!isSet) throw new Error('the kernel takes no filter');
}

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('client-files-no-links.ts FOLDER');
forbidLinks();
receive(folder);
