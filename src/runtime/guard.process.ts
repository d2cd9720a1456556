/*
 * What a server of ours does about its process before anything else: nobody opens a debugger in it, and lines that nobody
 * can take end no session.
 */

/** Streams whose loss is survived. */
const OUTPUTS = [process.stdout, process.stderr] as const;

/**
 * Guards this process, once. Gives how many writes to standard output and standard error failed since: a full disk or a
 * reader that is gone costs lines (audit records are numbered, so a gap shows), not the sessions of others.
 */
export function guardProcess(): () => number {
  let lost = 0;
  for (const stream of OUTPUTS) stream.on('error', () => lost++);
  // At this signal Node opens a debugger, through which the leaf's key can be read, unless somebody listens.
  process.on('SIGUSR1', () => undefined);
  return () => lost;
}
