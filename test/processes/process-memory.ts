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

/**
 * Which of `secrets` stand in the writable memory of process `pid`, and where: `name in [heap]`, each place once. It may be
 * read by its own parent. @throws Error if less than `MINIMUM_BYTES` could be read: then nothing was looked at.
 */
export function copiesIn(pid: number, secrets: ReadonlyMap<string, Uint8Array>): string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    let bytesRead = 0;
    const found = writableMappings(pid).flatMap((mapping) => {
      const copies: string[] = [];
      bytesRead += readMapping(memory, mapping, (window) => {
        for (const [name, secret] of secrets)
          if (window.indexOf(secret) >= 0) copies.push(`${name} in ${mapping.name || 'anonymous'}`);
      });
      return copies;
    });
    if (bytesRead < MINIMUM_BYTES) throw new Error(`only ${bytesRead} bytes of ${pid} were read`);
    return [...new Set(found)].sort();
  } finally {
    closeSync(memory);
  }
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

/** Shows `look` all of a mapping, window by window, and gives the bytes read. */
function readMapping(
  memory: number,
  { from, to }: Mapping,
  look: (window: Buffer) => void,
): number {
  const buffer = Buffer.alloc(Math.min(WINDOW_BYTES, to - from));
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
