/** After this long without sending, the peer is asked for a sign of life; a relay forgets a session after 120 s. */
export const KEEP_ALIVE_MS = 20_000;
/** On a direct way, which nobody watches, the question comes this soon after content that nothing answered. */
const DIRECT_ASK_MS = 1_000;

/** When a conversation last sent, heard and asked; its owner writes the times, which are monotonic. */
export class Liveness {
  sentMs: number;
  /** Of what the channels sent; the session's own messages are no content, else two sides would ask each other for ever. */
  contentSentMs: number;
  heardMs: number;
  /** Heard on the way in use: a peer that is heard elsewhere may have left it because it is dead. */
  answeredMs: number;
  askedMs: number;

  constructor(nowMs: number) {
    this.sentMs = this.contentSentMs = this.heardMs = this.answeredMs = this.askedMs = nowMs;
  }

  /** When the peer is to be asked for a sign of life. */
  askAtMs(isDirect: boolean): number {
    if (isDirect && this.contentSentMs > this.answeredMs)
      return Math.max(this.answeredMs, this.askedMs) + DIRECT_ASK_MS;
    return Math.max(this.sentMs, this.askedMs) + KEEP_ALIVE_MS;
  }
}
