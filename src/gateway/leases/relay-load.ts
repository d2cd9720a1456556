/*
 * Whether what a relay says of its load can be true. The counters of one process only grow, and no faster than the
 * fastest line that a machine of ours could have.
 */

/** What a heartbeat counts, since the start of the relay's process. */
export interface RelayLoad {
  readonly sessions: number;
  readonly packets: number;
  readonly bytes: number;
  readonly drops: number;
}

/** 100 Gbit/s, and as many Ethernet frames of the smallest size (84 bytes on the wire). */
const MAX_BYTES_PER_SECOND = 12_500_000_000;
const MAX_PACKETS_PER_SECOND = 148_809_524;
/** The most that a pool can be set to. */
const MAX_SESSIONS = 100_000;
/** The largest UDP payload. */
const MAX_PACKET_BYTES = 65_535;
/** Heartbeats that waited behind each other in a connection arrive at once: so much time is forgiven. */
const SLACK_SECONDS = 15;

/** Whether `now` can follow `before` after `elapsedMs`; `before` is undefined for the first heartbeat of a process. */
export function isPlausible(
  now: RelayLoad,
  before: RelayLoad | undefined,
  elapsedMs: number,
): boolean {
  if (now.sessions > MAX_SESSIONS || now.bytes > now.packets * MAX_PACKET_BYTES) return false;
  // Of a process that started before this gateway did, the first totals say nothing about a rate.
  if (before === undefined) return true;
  const seconds = elapsedMs / 1_000 + SLACK_SECONDS;
  const grew = (count: 'packets' | 'bytes' | 'drops', perSecond: number): boolean => {
    const by = now[count] - before[count];
    return by >= 0 && by <= perSecond * seconds;
  };
  return (
    grew('bytes', MAX_BYTES_PER_SECOND) &&
    grew('packets', MAX_PACKETS_PER_SECOND) &&
    grew('drops', MAX_PACKETS_PER_SECOND)
  );
}
