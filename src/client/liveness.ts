/** After this long without sending, the peer is asked for a sign of life; a relay forgets a session after 120 s. */
export const KEEP_ALIVE_MS = 20_000;
/**
 * On a direct way, which nobody watches, the question comes this soon after content that nothing answered; and so do
 * questions to a peer that is still heard on another way. A path of half a second is answered in time.
 */
export const ASK_SOON_MS = 500;

/**
 * Content that nothing on the way in use answered for this long puts that way in doubt: a router may have forgotten this
 * endpoint, or given it another address, and only the relay can tell.
 */
const DOUBT_AFTER_MS = 1_000;
/** A peer that is gone leaves it in doubt until the session ends. */
const DOUBT_EVERY_MS = 3_000;

/** What makes a question urgent. */
export interface AskReasons {
  /** The way in use is direct. */
  readonly isDirect: boolean;
  /** The peer is heard on a worse way than the one in use (known-paths.ts). */
  readonly isPeerBehind: boolean;
}

/** When a conversation last sent, heard and asked; its owner writes the times, which are monotonic. */
export class Liveness {
  sentMs: number;
  /** Of what the channels sent; the session's own messages are no content, else two sides would ask each other for ever. */
  contentSentMs: number;
  /** Heard on the way in use: a peer that is heard elsewhere may have left it because it is dead. */
  answeredMs: number;
  askedMs: number;
  /** When the ways are in doubt; Infinity while nothing waits for an answer. */
  doubtAtMs = Infinity;

  constructor(nowMs: number) {
    this.sentMs = this.contentSentMs = this.answeredMs = this.askedMs = nowMs;
  }

  /** The channels sent something. */
  contentSent(nowMs: number): void {
    this.contentSentMs = nowMs;
    this.doubtAtMs = Math.min(this.doubtAtMs, nowMs + DOUBT_AFTER_MS);
  }

  /** The peer was heard on the way in use. */
  answered(nowMs: number): void {
    this.answeredMs = nowMs;
    this.doubtAtMs = Infinity;
  }

  /** Whether the ways are in doubt; true again 3 s later, if nothing was heard meanwhile. */
  takeDoubt(nowMs: number): boolean {
    if (nowMs < this.doubtAtMs) return false;
    this.doubtAtMs = nowMs + DOUBT_EVERY_MS;
    return true;
  }

  /** When the peer is to be asked for a sign of life. */
  askAtMs({ isDirect, isPeerBehind }: AskReasons): number {
    if (isPeerBehind) return this.askedMs + ASK_SOON_MS;
    if (isDirect && this.contentSentMs > this.answeredMs)
      return Math.max(this.answeredMs, this.askedMs) + ASK_SOON_MS;
    return Math.max(this.sentMs, this.askedMs) + KEEP_ALIVE_MS;
  }
}
