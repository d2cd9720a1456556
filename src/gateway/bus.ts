/*
 * How replicas of one gateway talk: in one process, or over NATS. Nothing is stored and nothing is repeated: a message
 * that cannot be sent now is reported at once. Messages are small JSON values of closed schemas, checked on arrival.
 */

/** What replicas tell each other. `from` of each message is added by the bus. */
export type BusMessage =
  /** An envelope for a token or for a device; the replica that has the connection answers. */
  | { readonly type: 'deliver'; readonly token: string; readonly envelope: string }
  | {
      readonly type: 'introduce';
      readonly account: string;
      readonly device: string;
      readonly envelope: string;
    }
  | { readonly type: 'prekey'; readonly token: string }
  | { readonly type: 'devices'; readonly account: string }
  /** Whether another connection holds one of these tokens. */
  | { readonly type: 'tokens'; readonly tokens: readonly string[] }
  /** A connection of this device began: an older one of the same device, at any replica, ends. */
  | {
      readonly type: 'connected';
      readonly account: string;
      readonly device: string;
      readonly connection: string;
    }
  | { readonly type: 'sessions-ended'; readonly sessions: readonly string[] }
  | { readonly type: 'account-changed'; readonly account: string }
  | {
      readonly type: 'leases-revoked';
      readonly jti: readonly string[];
      readonly kids: readonly string[];
    }
  /** State of a relay that is registered at the sender, every 5 s and when it changes. */
  | { readonly type: 'relay'; readonly relay: RelayReport }
  /** A login of this account that counts for `loginsPerAccountPerHour`. */
  | { readonly type: 'login'; readonly account: string }
  /** How many connections of other devices of the account are open. */
  | { readonly type: 'connections'; readonly account: string; readonly device: string }
  | { readonly type: 'here' };

/** What a replica tells of a relay that is registered at it. */
export interface RelayReport {
  readonly rid: string;
  readonly boot: string;
  readonly kids: readonly string[];
  readonly sessions: number;
  readonly draining: boolean;
  /** The relay's clock is ahead of the replica's, in milliseconds. */
  readonly clockAheadMs: number;
  readonly connected: boolean;
}

/** What a replica answers to a message that asks: `undefined` means that it has nothing to say. */
export type BusAnswer = Readonly<Record<string, unknown>> | undefined;

/** One replica's end of the bus. */
export interface Bus {
  /** Random per process: names this replica. */
  readonly replica: string;
  /** Tells all other replicas; not this one. Never throws: what cannot be sent is counted. */
  tell(message: BusMessage): void;
  /**
   * Asks all other replicas, and gives the first answer that is not undefined; undefined when every live replica said
   * that it has none, or after `timeoutMs`.
   */
  ask(message: BusMessage, timeoutMs: number): Promise<BusAnswer>;
  /** Asks all other replicas, and gives every answer that is not undefined: of those that answer within `timeoutMs`. */
  askAll(
    message: BusMessage,
    timeoutMs: number,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Set once, before the first message. */
  onMessage(handle: (message: BusMessage, from: string) => BusAnswer | Promise<BusAnswer>): void;
  /** Whether other replicas can be reached now; always true in one process. */
  readonly connected: boolean;
  /** Replicas that are heard now, this one included. */
  readonly replicas: number;
  /** False while some replica may be alive and not heard: what all others were asked may then be decided twice. */
  readonly areAllHeard: boolean;
  /** Set once: called when a replica is heard that was not heard just before. */
  onJoin(joined: () => void): void;
  close(): Promise<void>;
}
