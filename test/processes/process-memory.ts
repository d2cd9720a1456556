import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** A part of a process's memory that it may write to. */
interface Mapping {
  readonly from: number;
  readonly to: number;
  /** A file, `[heap]`, `[stack]`, or nothing for what the process asked the kernel for. */
  readonly name: string;
}

/** What is read at a time. */
const WINDOW_BYTES = 8 << 20;

/** Windows overlap by more than a secret is long, so that none is cut. */
const OVERLAP_BYTES = 256;

/** A Node.js process has more writable memory than this. */
const MINIMUM_BYTES = 8 << 20;

/** What pagemap(5) is counted in, and its bits for a page that is in memory, or swapped out. */
const PAGE_BYTES = 4_096;
const ENTRY_BYTES = 8;
const IN_USE = 0xc0;

/**
 * Which of `secrets` stand in the writable memory of process `pid`, and where: `name in [heap]`, each place once. It may be
 * read by its own parent. @throws Error if less than `MINIMUM_BYTES` could be read: then nothing was looked at.
 */
export function copiesIn(pid: number, secrets: ReadonlyMap<string, Uint8Array>): string[] {
  const found = new Set<string>();
  eachWindow(pid, (window, where) => {
    for (const [name, secret] of secrets)
      if (window.indexOf(secret) >= 0) found.add(`${name} in ${where}`);
  });
  return [...found].sort();
}

/**
 * Shows `look` the writable memory of process `pid`, window by window, and the name of each mapping, `anonymous` if it
 * has none. The window is written again after each call. @throws Error as `copiesIn` does.
 */
export function eachWindow(pid: number, look: (window: Buffer, where: string) => void): void {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pages = openSync(`/proc/${pid}/pagemap`, 'r');
  const buffer = Buffer.alloc(WINDOW_BYTES);
  let bytesRead = 0;
  try {
    for (const mapping of writableMappings(pid).flatMap((whole) => touched(pages, whole)))
      bytesRead += readMapping({ memory, buffer, mapping }, (window) => {
        look(window, mapping.name || 'anonymous');
      });
  } finally {
    closeSync(memory);
    closeSync(pages);
  }
  if (bytesRead < MINIMUM_BYTES) throw new Error(`only ${bytesRead} bytes of ${pid} were read`);
}

function writableMappings(pid: number): Mapping[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, from, to, name] = /^(\w+)-(\w+) rw\S+ \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
      if (from === undefined || to === undefined) return [];
      return [{ from: parseInt(from, 16), to: parseInt(to, 16), name: name ?? '' }];
    });
}

/** The parts of a mapping that hold something: V8 maps 40 times as much as it uses, and what nobody wrote to is zeros. */
function touched(pages: number, { from, to, name }: Mapping): Mapping[] {
  const entries = Buffer.alloc(((to - from) / PAGE_BYTES) * ENTRY_BYTES);
  const read = readAt(pages, entries, (from / PAGE_BYTES) * ENTRY_BYTES);
  const parts: { from: number; to: number; name: string }[] = [];
  for (let at = 0; at < read; at += ENTRY_BYTES) {
    // The highest bits of a little-endian number.
    if ((entries[at + 7]! & IN_USE) === 0) continue;
    const page = from + (at / ENTRY_BYTES) * PAGE_BYTES;
    const last = parts.at(-1);
    if (last?.to === page) last.to += PAGE_BYTES;
    else parts.push({ from: page, to: page + PAGE_BYTES, name });
  }
  return parts;
}

interface Reading {
  readonly memory: number;
  readonly buffer: Buffer;
  readonly mapping: Mapping;
}

/** Shows `look` all of a mapping, window by window, and gives the bytes read. */
function readMapping(
  { memory, buffer, mapping: { from, to } }: Reading,
  look: (window: Buffer) => void,
): number {
  let at = from;
  while (at < to) {
    const length = readAt(memory, buffer.subarray(0, Math.min(WINDOW_BYTES, to - at)), at);
    if (length === 0) break; // The process has given this memory back.
    look(buffer.subarray(0, length));
    if (at + length >= to) return to - from;
    at += Math.max(1, length - OVERLAP_BYTES);
  }
  return at - from;
}

function readAt(memory: number, into: Buffer, position: number): number {
  try {
    return readSync(memory, into, 0, into.length, position);
  } catch {
    return 0; // Memory that the kernel shows nobody.
  }
}
