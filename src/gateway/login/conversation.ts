/*
 * One login, message by message:
 *
 *   challenge -> login -> [second-factor -> second-factor]* -> welcome, or refused at any step
 *
 * Each message is taken once and in turn: one that comes while another is being judged ends the conversation, so that
 * nobody gets more guesses by sending them at the same time.
 */
import type { FromEndpoint, Login, ToEndpoint } from '../../messages/signaling.js';
import type { Clock } from '../../runtime/clock.js';
import type { LoginConversation, LoginFacts, LoginStep } from '../rooms.js';
import { AccountUnusable, StorageUnavailable } from '../store.js';
import { secondsUntil } from './lockout-rules.js';
import { LOGIN_FAILURES, type LoginFailure } from './outcomes.js';
import type { Asked, ProofVerdict } from './second-factors.js';

/** How long a challenge holds. */
export const LOGIN_CHALLENGE_MS = 60_000;
/** Proofs that one connection may try; a further one takes a new login. */
const PROOFS_PER_LOGIN = 3;
/** When to come back after the database was away, in seconds. */
const UNAVAILABLE_RETRY_SECONDS = 5;

/** That a login failed. */
export interface Failed {
  readonly failed: LoginFailure;
  readonly retryAfterSeconds?: number;
}

/** What the store and policy say of a device that has proven itself, and what it takes to let it in. */
export interface Candidate {
  /** What to ask for before it is in. */
  readonly asked?: Asked;
  prove(
    proof: Extract<FromEndpoint, { type: 'second-factor' }>['proof'],
    asked: Asked,
  ): Promise<ProofVerdict>;
  /** Puts the question again, with a new challenge. */
  askAgain(): Promise<Asked | undefined>;
  attemptsLeft(): Promise<number>;
  /** Begins or resumes the session. */
  enter(proven: boolean): Promise<Extract<LoginStep, { caller: unknown }>>;
}

/** What decides of a login; this file only keeps the order of messages. */
export interface LoginJudge {
  readonly clock: Clock;
  judge(login: Login, challenge: Uint8Array, facts: LoginFacts): Promise<Candidate | Failed>;
  /** A message out of turn. */
  unexpected(): void;
  /** Another replica has let a device of this account log in. */
  heardLogin(account: string): void;
  /** To be called every second. */
  tick(): void;
}

type State =
  | { readonly at: 'login' }
  | {
      readonly at: 'second-factor';
      readonly candidate: Candidate;
      readonly asked: Asked;
      readonly proofs: number;
    }
  | { readonly at: 'end' };

/** The conversation on a connection that was given `challenge`. */
export class Conversation implements LoginConversation {
  readonly first: ToEndpoint;
  readonly #begunAtMs: number;
  #state: State = { at: 'login' };

  constructor(
    private readonly judge: LoginJudge,
    private readonly facts: LoginFacts,
    private readonly challenge: Uint8Array,
  ) {
    this.#begunAtMs = judge.clock.monotonicMs();
    this.first = {
      type: 'challenge',
      challenge: Buffer.from(challenge).toString('base64url'),
      profile: 'Standard',
      at: judge.clock.now().getTime(),
    };
  }

  async receive(message: FromEndpoint): Promise<LoginStep> {
    const state = this.#state;
    this.#state = { at: 'end' };
    try {
      if (state.at === 'login' && message.type === 'login') return await this.#login(message);
      if (state.at === 'second-factor' && message.type === 'second-factor')
        return await this.#secondFactor(state, message.proof);
    } catch (error) {
      return refusalOf(error);
    }
    this.judge.unexpected();
    return refused('UnexpectedMessage');
  }

  async #login(login: Login): Promise<LoginStep> {
    if (this.judge.clock.monotonicMs() - this.#begunAtMs >= LOGIN_CHALLENGE_MS)
      return refused('ChallengeExpired');
    const candidate = await this.judge.judge(login, this.challenge, this.facts);
    if ('failed' in candidate) return refused(candidate.failed, candidate.retryAfterSeconds);
    if (candidate.asked === undefined) return candidate.enter(false);
    return this.#ask(candidate, candidate.asked, await candidate.attemptsLeft(), 0);
  }

  async #secondFactor(
    { candidate, asked, proofs }: Extract<State, { at: 'second-factor' }>,
    proof: Extract<FromEndpoint, { type: 'second-factor' }>['proof'],
  ): Promise<LoginStep> {
    const verdict = await candidate.prove(proof, asked);
    if (verdict.held) return candidate.enter(true);
    const now = this.judge.clock.now().getTime();
    if (verdict.lockedUntil !== undefined)
      return refused('LockedOut', secondsUntil(verdict.lockedUntil, now));
    const again = proofs + 1 < PROOFS_PER_LOGIN ? await candidate.askAgain() : undefined;
    if (again === undefined) return refused(verdict.why);
    return this.#ask(candidate, again, verdict.attemptsLeft, proofs + 1);
  }

  #ask(candidate: Candidate, asked: Asked, attemptsLeft: number, proofs: number): LoginStep {
    this.#state = { at: 'second-factor', candidate, asked, proofs };
    return {
      send: {
        type: 'second-factor',
        kinds: [...asked.kinds],
        ...(asked.webAuthn === undefined ? {} : { webAuthn: asked.webAuthn }),
        attemptsLeft,
      },
    };
  }
}

function refused(why: LoginFailure, retryAfterSeconds?: number): LoginStep {
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return {
    send: { type: 'refused', reason: LOGIN_FAILURES[why].refusal, ...retry },
    refused: true,
  };
}

function refusalOf(error: unknown): LoginStep {
  // The account was locked or the device revoked in the meantime: the next login is told which.
  if (!(error instanceof StorageUnavailable) && !(error instanceof AccountUnusable)) throw error;
  return {
    send: {
      type: 'refused',
      reason: 'unavailable',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    },
    refused: true,
  };
}
