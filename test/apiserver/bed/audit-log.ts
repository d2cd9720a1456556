import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** What a test reads of an entry of the API server's audit log (audit.k8s.io/v1, level Metadata). */
export interface AuditEntry {
  readonly auditID: string;
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
  };
  readonly responseStatus?: {
    readonly code?: number;
    readonly reason?: string;
    readonly message?: string;
  };
  readonly requestReceivedTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The calls that one user made. A watch counts once, when it starts. */
export interface Calls {
  /** Number per `verb resource`, such as `patch deployments` or `patch signalinggateways/status`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Number per verb. A server-side apply is `patch`. */
  readonly verbs: Readonly<Record<string, number>>;
  readonly total: number;
  /** Calls with a verb other than get, list and watch. */
  readonly writes: number;
  readonly entries: readonly AuditEntry[];
}

const READS = new Set(['get', 'list', 'watch']);

/** Reads the audit log of a test server as it grows. */
export class AuditLog {
  private readonly calls = new Map<string, AuditEntry>();
  private offset = 0;
  /** The beginning of a line whose end is not in the file yet. */
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly file: string,
    /** Makes a GET of this path. */
    private readonly leaveMark: (path: string) => Promise<void>,
  ) {}

  /** A moment in the log: calls answered before it are not counted with `{ since }`. */
  async mark(): Promise<number> {
    await this.settle();
    return this.calls.size;
  }

  /** The calls of `user`, all of them or those since a mark. Calls answered before this one are counted. */
  async callsOf(user: string, since = 0): Promise<Calls> {
    await this.settle();
    return count(
      [...this.calls.values()].slice(since).filter((entry) => entry.user.username === user),
    );
  }

  /** All calls of everybody, all of them or those since a mark. */
  async entries(since = 0): Promise<AuditEntry[]> {
    await this.settle();
    return [...this.calls.values()].slice(since);
  }

  /** What the log holds at this moment, without a call to the server: it may be gone. */
  async written(): Promise<AuditEntry[]> {
    if (existsSync(this.file)) await this.readMore();
    return [...this.calls.values()];
  }

  /**
   * The server writes an entry just after its answer, so an answered call may not be in the file yet.
   * Waits for the entry of a call made now, and then until nothing was added for a moment.
   */
  private async settle(): Promise<void> {
    const mark = `/version?mark=${randomUUID()}`;
    await this.leaveMark(mark);
    const deadline = performance.now() + 10_000;
    while (!(await this.readMore()).some((entry) => entry.requestURI === mark)) {
      if (performance.now() > deadline)
        throw new Error(`${this.file} did not show ${mark} within 10 s`);
      await pause(5);
    }
    do await pause(15);
    while ((await this.readMore()).length > 0);
  }

  private async readMore(): Promise<AuditEntry[]> {
    const handle = await open(this.file, 'r');
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(size - this.offset);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.offset);
      this.offset += bytesRead;
      return this.take(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  }

  private take(bytes: Buffer): AuditEntry[] {
    const all = Buffer.concat([this.rest, bytes]);
    const end = all.lastIndexOf('\n') + 1;
    this.rest = all.subarray(end);
    const lines = all
      .toString('utf8', 0, end)
      .split('\n')
      .filter((line) => line !== '');
    const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
    for (const entry of entries) {
      if (entry.requestURI.startsWith('/version?mark=')) continue;
      // The second stage of a watch replaces the first in its place.
      this.calls.set(entry.auditID, entry);
    }
    return entries;
  }
}

function count(entries: readonly AuditEntry[]): Calls {
  const counts: Record<string, number> = {};
  const verbs: Record<string, number> = {};
  for (const entry of entries) {
    const key = `${entry.verb} ${resourceOf(entry)}`;
    counts[key] = (counts[key] ?? 0) + 1;
    verbs[entry.verb] = (verbs[entry.verb] ?? 0) + 1;
  }
  const writes = entries.filter((entry) => !READS.has(entry.verb)).length;
  return { counts, verbs, total: entries.length, writes, entries };
}

/** `deployments`, `signalinggateways/status`, or the path of a call that is about no resource. */
function resourceOf({ objectRef, requestURI }: AuditEntry): string {
  if (!objectRef?.resource) return requestURI.split('?')[0] ?? requestURI;
  return objectRef.subresource
    ? `${objectRef.resource}/${objectRef.subresource}`
    : objectRef.resource;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
