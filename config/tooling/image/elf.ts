/*
 * What an ELF file wants from the machine that loads it (System V ABI, "ELF-64 Object File Format"; little-endian only):
 * its processor and the shared libraries that it names.
 *   header:          18  2  machine     32  8  offset of the program headers   54  2  their size   56  2  their number
 *   program header:  0   4  type        8   8  offset in the file   16  8  address   32  8  size in the file
 *   dynamic entry:   0   8  tag         8   8  value
 */

/** Processors by e_machine. */
const MACHINES: Readonly<Record<number, string>> = { 62: 'amd64', 183: 'arm64' };
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DYNAMIC_BYTES = 16;

/** What a loader looks for. */
export interface ElfNeeds {
  /** As OCI names it: `amd64`, `arm64`; otherwise the number of the ABI. */
  readonly architecture: string;
  /** Names such as `libc.so.6`. */
  readonly libraries: readonly string[];
  /** Path of the loader, of programs only. */
  readonly interpreter?: string | undefined;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** What `bytes` needs; undefined if they are no 64-bit little-endian ELF file. */
export function elfNeeds(bytes: Buffer): ElfNeeds | undefined {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined;
  if (bytes[4] !== 2 || bytes[5] !== 1) return undefined;
  const segments = segmentsOf(bytes);
  const machine = bytes.readUInt16LE(18);
  const interpreter = segments.find(({ type }) => type === PT_INTERP);
  return {
    architecture: MACHINES[machine] ?? String(machine),
    libraries: librariesOf(bytes, segments),
    ...(interpreter && { interpreter: textAt(bytes, interpreter.offset) }),
  };
}

const big = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

function segmentsOf(bytes: Buffer): Segment[] {
  const [start, size, count] = [big(bytes, 32), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => start + index * size).map((at) => ({
    type: bytes.readUInt32LE(at),
    offset: big(bytes, at + 8),
    address: big(bytes, at + 16),
    size: big(bytes, at + 32),
  }));
}

function librariesOf(bytes: Buffer, segments: readonly Segment[]): string[] {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const count = Math.floor(dynamic.size / DYNAMIC_BYTES);
  const entries = Array.from({ length: count }, (_, index) => {
    const at = dynamic.offset + index * DYNAMIC_BYTES;
    return [big(bytes, at), big(bytes, at + 8)] as const;
  });
  const strings = entries.find(([tag]) => tag === DT_STRTAB)?.[1];
  if (strings === undefined) return [];
  const base = offsetOf(strings, segments);
  return entries
    .filter(([tag]) => tag === DT_NEEDED)
    .map(([, value]) => textAt(bytes, base + value));
}

/** Where in the file stands what is loaded at `address`. */
function offsetOf(address: number, segments: readonly Segment[]): number {
  const segment = segments.find(
    ({ type, address: from, size }) => type === PT_LOAD && address >= from && address < from + size,
  );
  return segment === undefined ? address : address - segment.address + segment.offset;
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.subarray(at, bytes.indexOf(0, at)).toString('utf8');
}
