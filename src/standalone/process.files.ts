/*
 * Which processes are ours, on disk: so that a run that was killed is cleaned up by the next one, and nobody else's
 * process that got the same number meanwhile is touched.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const FILE = 'process.json';

/** Remembers that the process `pid` belongs to the pod in `folder`. */
export function noteProcess(folder: string, pid: number): void {
  writeFileSync(`${folder}/${FILE}`, JSON.stringify({ pid, startedAt: startTime(pid) }));
}

/** The process in `folder` has ended. */
export function forgetProcess(folder: string): void {
  rmSync(`${folder}/${FILE}`, { force: true });
}

/** The process that is noted in `folder`, if it still runs. */
export function livingProcess(folder: string): number | undefined {
  try {
    const noted = JSON.parse(readFileSync(`${folder}/${FILE}`, 'utf8')) as Noted;
    const { pid, startedAt } = noted;
    if (typeof pid !== 'number' || startedAt === undefined) return undefined;
    return startTime(pid) === startedAt ? pid : undefined;
  } catch {
    return undefined; // None is noted, or the file is torn: then nothing is known to be ours.
  }
}

interface Noted {
  readonly pid?: unknown;
  readonly startedAt?: unknown;
}

/** Ends a process that an earlier run left in `folder`; true when there was one. */
export function endLeftProcess(folder: string): boolean {
  const pid = livingProcess(folder);
  forgetProcess(folder);
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // It ended in between.
  }
}

/**
 * When a process began, in ticks since boot (proc(5), fields 3 and 22 of stat); undefined where there is no /proc, and for
 * a process that has ended and that its parent has not asked about yet.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in bytes; undefined where there is no /proc. */
export function residentBytes(pid: number): number | undefined {
  try {
    const pages = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
    return pages === undefined ? undefined : Number(pages) * 1_024;
  } catch {
    return undefined;
  }
}
