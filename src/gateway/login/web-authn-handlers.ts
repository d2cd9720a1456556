/*
 * Enrols security keys and platform authenticators.
 */
import type { Handlers } from '../caller.js';
import type { FactorRow } from '../store.js';
import { encodeCredential } from './credential.js';
import { refusedBeginning } from './factor-handlers.js';
import {
  base64url,
  demandOf,
  enrolled,
  MAX_FACTORS,
  refuse,
  type HandlerParts,
} from './handler-parts.js';
import { CHALLENGE_MS, credentialOf, relyingParty, userHandle } from './second-factors.js';
import { toDay } from './session-rules.js';
import { ACCEPTED_ALGORITHMS, verifyEnrolment } from './web-authn.verifier.js';

const CHALLENGE_BYTES = 32;
const HANDLE_BYTES = 16;

/** Handlers of `factor.web-authn.*`. */
export function webAuthnHandlers(parts: HandlerParts) {
  const { store, backend, random, pending, settings } = parts;
  return {
    'factor.web-authn.begin': async (_, context) => {
      const refused = await refusedBeginning(parts, 'WebAuthn', context);
      if (refused !== undefined) return refused;
      const { connection, caller, now } = context;
      const challenge = base64url(random(CHALLENGE_BYTES));
      pending.webAuthn.put(connection.id, challenge, now + CHALLENGE_MS);
      const { roamingKey, userVerification } = demandOf(parts, caller.account);
      const rows = await store.factors(caller.account);
      return {
        challenge,
        rpId: relyingParty(settings()).rpId,
        userHandle: userHandle(backend, caller.identity),
        algorithms: [...ACCEPTED_ALGORITHMS],
        ...(roamingKey ? { attachment: 'cross-platform' as const } : {}),
        userVerification: userVerification ? 'required' : 'preferred',
        exclude: rows.flatMap((row) => credentialOf(row)?.id ?? []).map(base64url),
      };
    },
    'factor.web-authn.confirm': async (answer, context) => {
      const { connection, caller, now } = context;
      const { account } = caller;
      const challenge = pending.webAuthn.take(connection.id, now);
      if (challenge === undefined) return refuse('proof-invalid');
      const { userVerification, roamingKey } = demandOf(parts, account);
      const party = relyingParty(settings());
      const credential = await verifyEnrolment(answer, { party, challenge, userVerification });
      if (credential === undefined) return refuse('proof-invalid');
      // Under a role that asks for a roaming key another one would satisfy nothing.
      if (roamingKey && !credential.roaming) return refuse('forbidden');
      const refused = await refusedBeginning(parts, 'WebAuthn', context);
      if (refused !== undefined) return refused;
      const known = (await store.factors(account)).map((row) => credentialOf(row));
      if (known.some((other) => other && base64url(other.id) === base64url(credential.id)))
        return refuse('already-exists');
      const factor = base64url(random(HANDLE_BYTES));
      const row: FactorRow = {
        factor,
        account,
        kind: 'WebAuthn',
        label: answer.label,
        enrolledOn: toDay(now),
        secret: encodeCredential(credential),
        counter: credential.counter,
      };
      if (!(await store.addFactor(row, MAX_FACTORS))) return refuse('quota-reached');
      await enrolled(parts, row, context);
      return { factor };
    },
  } satisfies Partial<Handlers>;
}
