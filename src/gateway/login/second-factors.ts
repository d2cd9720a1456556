/*
 * Asks for a second factor and judges the proof: at login and at step-up. Each attempt is counted before its proof is
 * looked at.
 */
import type { FactorKind, FactorProof } from '../../messages/fields.js';
import type { AnswerBody } from '../../messages/requests.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { accountDigest } from '../../protocol/identity/account.js';
import type { GatewaySettings } from '../settings.js';
import type { FactorRow, Store } from '../store.js';
import type { AuthRecord } from './auth-record.js';
import { decodeCredential, type Credential } from './credential.js';
import {
  counts,
  factorQuestion,
  type EnrolledFactor,
  type FactorDemand,
  type FactorQuestion,
} from './factor-policy.js';
import { attemptsLeft, judgeAttempt } from './lockout-rules.js';
import type { AuthMethod, ProofFailure } from './outcomes.js';
import { recoveryCodeHash } from './recovery-codes.js';
import { totpStepOf } from './totp.js';
import { verifyAssertion, type RelyingParty } from './web-authn.verifier.js';

/** How long a challenge for an authenticator holds. */
export const CHALLENGE_MS = 120_000;
const CHALLENGE_BYTES = 32;

/** What the judging of second factors is made from. */
export interface FactorContext {
  readonly store: Store;
  readonly backend: CryptoBackend;
  readonly random: (bytes: number) => Uint8Array;
  readonly settings: () => GatewaySettings;
  readonly record: AuthRecord;
}

/** Whose factor it is. */
export interface Subject {
  readonly account: string;
  readonly identity: Uint8Array;
}

/** A question that was put, for one answer. */
export interface Asked extends FactorQuestion {
  readonly webAuthn?: NonNullable<AnswerBody<'step-up.begin'>['webAuthn']>;
  readonly demand: FactorDemand;
  /** The challenge for an authenticator is worth nothing from then on, Unix ms. */
  readonly until: number;
}

/** What became of a proof. */
export type ProofVerdict =
  | { readonly held: true }
  | {
      readonly held: false;
      readonly why: ProofFailure;
      readonly attemptsLeft: number;
      readonly lockedUntil?: number;
    };

type Found = 'held' | Exclude<ProofFailure, 'LockedOut'>;

const METHODS: Readonly<Record<FactorKind, AuthMethod>> = {
  WebAuthn: 'web-authn',
  TOTP: 'totp',
  RecoveryCode: 'recovery-code',
};

/** What an authenticator and its browser must sign for this gateway: its first host, reached by https. */
export const relyingParty = ({ hosts, allowedOrigins }: GatewaySettings): RelyingParty => ({
  rpId: hosts[0] ?? '',
  origins: [...hosts.map((host) => `https://${host}`), ...allowedOrigins],
});

/** Questions and proofs of second factors. */
export class SecondFactors {
  constructor(private readonly context: FactorContext) {}

  /** What to ask of the account; undefined when it has no second factor. */
  async ask(account: string, demand: FactorDemand, now: number): Promise<Asked | undefined> {
    const { store } = this.context;
    const rows = await store.factors(account);
    const enrolled = rows.map(enrolledFactor);
    const codes = await store.recoveryCodesLeft(account);
    const question = factorQuestion(enrolled, codes, demand);
    if (question === undefined) return undefined;
    const fitting = rows.filter(
      (row) => !question.satisfies || counts(enrolledFactor(row), demand),
    );
    const credentials = fitting.flatMap((row) => credentialOf(row) ?? []);
    const asked = { ...question, demand, until: now + CHALLENGE_MS };
    return credentials.length === 0
      ? asked
      : { ...asked, webAuthn: this.#challengeFor(credentials, demand) };
  }

  /** How many proofs may still be wrong. */
  async attemptsLeft(account: string): Promise<number> {
    const { lockout } = this.context.settings().authentication;
    return attemptsLeft(await this.context.store.lockout(account), lockout);
  }

  /** Judges one proof of what was asked, and counts, records and locks as it follows. A question is for one proof. */
  async prove(
    subject: Subject,
    proof: FactorProof,
    asked: Asked,
    now: number,
  ): Promise<ProofVerdict> {
    const { store, settings, record } = this.context;
    const { account } = subject;
    const { lockout } = settings().authentication;
    const row = await store.countAttempt(account, now, lockout);
    const attempt = judgeAttempt(row, lockout, now);
    if (!attempt.look) {
      record.failed(METHODS[proof.kind], 'LockedOut', account);
      return { held: false, why: 'LockedOut', attemptsLeft: 0, lockedUntil: attempt.lockedUntil };
    }
    const found = await this.#look(subject, proof, asked, now);
    if (found === 'held') {
      await store.clearLockout(account);
      record.succeeded(METHODS[proof.kind], account);
      return { held: true };
    }
    record.failed(METHODS[proof.kind], found, account);
    if (found === 'ClonedKey') record.happened('factor.detect-clone', account);
    if (!attempt.isLast) return { held: false, why: found, attemptsLeft: attempt.attemptsLeft };
    record.lockedOut(account);
    const { lockedUntil = now + lockout.durationSeconds * 1_000 } = await store.lockout(account);
    return { held: false, why: found, attemptsLeft: 0, lockedUntil };
  }

  #challengeFor(
    credentials: readonly Credential[],
    demand: FactorDemand,
  ): NonNullable<Asked['webAuthn']> {
    const challenge = this.context.random(CHALLENGE_BYTES);
    const everyOne = demand.userVerification || credentials.every(({ roaming }) => !roaming);
    return {
      challenge: base64url(challenge),
      rpId: relyingParty(this.context.settings()).rpId,
      credentials: credentials.map(({ id }) => base64url(id)),
      userVerification: everyOne ? 'required' : 'preferred',
    };
  }

  async #look(subject: Subject, proof: FactorProof, asked: Asked, now: number): Promise<Found> {
    if (!asked.kinds.includes(proof.kind)) return 'InvalidProof';
    switch (proof.kind) {
      case 'TOTP':
        return this.#totp(subject.account, proof.code, now);
      case 'RecoveryCode':
        return this.#recoveryCode(subject, proof.code);
      case 'WebAuthn':
        return now < asked.until ? this.#webAuthn(subject, proof.answer, asked) : 'ReplayedProof';
    }
  }

  async #totp(account: string, code: string, now: number): Promise<Found> {
    const { store } = this.context;
    let found: Found = 'InvalidProof';
    for (const row of await store.factors(account)) {
      if (row.kind !== 'TOTP') continue;
      const step = totpStepOf(row.secret, code, now);
      if (step === undefined) continue;
      if (await store.raiseCounter(account, row.factor, step)) return 'held';
      found = 'ReplayedProof';
    }
    return found;
  }

  async #recoveryCode({ account, identity }: Subject, code: string): Promise<Found> {
    const { store, backend } = this.context;
    const hash = recoveryCodeHash(backend, identity, code);
    return (await store.useRecoveryCode(account, hash)) ? 'held' : 'InvalidProof';
  }

  async #webAuthn(
    { account, identity }: Subject,
    answer: Extract<FactorProof, { kind: 'WebAuthn' }>['answer'],
    { webAuthn, demand }: Asked,
  ): Promise<Found> {
    const { store, backend, settings } = this.context;
    if (webAuthn?.credentials.includes(answer.id) !== true) return 'InvalidProof';
    if ((answer.userHandle ?? userHandle(backend, identity)) !== userHandle(backend, identity))
      return 'InvalidProof';
    const rows = await store.factors(account);
    const row = rows.find((factor) => credentialId(factor) === answer.id);
    const credential = row && credentialOf(row);
    if (row === undefined || credential === undefined) return 'InvalidProof';
    const counter = await verifyAssertion(answer, credential, {
      party: relyingParty(settings()),
      challenge: webAuthn.challenge,
      userVerification: demand.userVerification,
    });
    if (counter === undefined) return 'InvalidProof';
    return (await this.#raised(row, counter)) ? 'held' : 'ClonedKey';
  }

  /** An authenticator that does not count says 0 for ever (WebAuthn level 3, 6.1.1). */
  async #raised({ account, factor, counter }: FactorRow, to: bigint): Promise<boolean> {
    if (to === 0n && counter === 0n) return true;
    return this.context.store.raiseCounter(account, factor, to);
  }
}

/** What an authenticator stores as the user: the digest that is the account's fingerprint, and nothing about a person. */
export const userHandle = (backend: CryptoBackend, identity: Uint8Array): string =>
  base64url(accountDigest(backend, identity));

/** A factor as policy looks at it. */
export const enrolledFactor = (row: FactorRow): EnrolledFactor => ({
  kind: row.kind,
  roaming: credentialOf(row)?.roaming === true,
});

/** The credential of a WebAuthn factor. */
export const credentialOf = (row: FactorRow): Credential | undefined =>
  row.kind === 'WebAuthn' ? decodeCredential(row.secret) : undefined;

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

function credentialId(row: FactorRow): string | undefined {
  const credential = credentialOf(row);
  return credential && base64url(credential.id);
}
