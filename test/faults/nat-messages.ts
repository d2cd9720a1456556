/*
 * What nat-bed.ts asks of an endpoint on a machine behind a router (nat-endpoint.ts), and what it answers.
 */
import type { PathPolicy } from '../../src/client/endpoint.library.js';

/** A path that came into use. `atMs` is Unix time. */
export interface PathTaken {
  readonly kind: string;
  readonly atMs: number;
}

/** What an endpoint knows of its session. */
export interface SessionSeen {
  readonly id: string;
  readonly relay: string;
  /** What it tells its peer, `ADDRESS:PORT`. */
  readonly candidates: readonly string[];
  /** Paths since the session began, the one in use last. */
  readonly paths: readonly PathTaken[];
  /** Sessions that ended so far, with why. */
  readonly ends: readonly string[];
}

/** What a caller did. Times are Unix ms. */
export interface CallSent {
  readonly beganAtMs: number;
  readonly sent: number;
  /** Why the call, or a frame of it, was refused here; nothing if it was not. */
  readonly refused: string | undefined;
}

/** What came to who is called. */
export interface CallHeard {
  /** Numbers of the frames, in the order in which they came. */
  readonly numbers: readonly number[];
  readonly firstAtMs: number | undefined;
  readonly refused: readonly string[];
}

/** Questions with their arguments and answers. */
export interface EndpointQuestions {
  open(url: string, pin: string, file: string): Promise<string>;
  ask(peer: string): Promise<void>;
  accept(peer: string): Promise<void>;
  policy(peer: string, policy: PathPolicy): Promise<void>;
  /** Waits for a contact that asks, or that has accepted. */
  met(peer: string): Promise<void>;
  session(peer: string): Promise<void>;
  hangUp(peer: string): Promise<void>;
  seen(peer: string): Promise<SessionSeen>;
  /** Milliseconds until the peer's endpoint has confirmed a text. */
  say(peer: string, text: string): Promise<number>;
  /** Starts a call and sends that many frames, one every 20 ms. */
  call(peer: string, frames: string): Promise<CallSent>;
  /** What came since the last question. */
  heard(): Promise<CallHeard>;
}

export type QuestionName = keyof EndpointQuestions;

/** A question on its way. */
export interface Question {
  readonly id: number;
  readonly name: QuestionName;
  readonly args: readonly string[];
}

/** Its answer. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
