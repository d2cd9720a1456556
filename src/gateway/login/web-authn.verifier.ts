/*
 * Answers of security keys and platform authenticators (WebAuthn level 3, 7.1 and 7.2), checked with a library. It
 * throws for whatever is wrong with an answer; here that is one refusal, as for every byte from a stranger.
 */
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import type { FactorProof } from '../../messages/fields.js';
import type { RequestBody } from '../../messages/requests.js';
import type { Credential } from './credential.js';
import { isRoaming } from './credential.js';

/** COSE numbers of what is accepted, best first: Ed25519 and ES256 (RFC 9053, section 2). Never RSA with SHA-1. */
export const ACCEPTED_ALGORITHMS = [-8, -7];

/**
 * Statements about the maker are accepted in two forms only. Others would have certificates of a stranger's choice
 * looked up on the network.
 */
const ACCEPTED_FORMATS: readonly string[] = ['none', 'packed'];

/** Who asks: what an authenticator and its browser sign. */
export interface RelyingParty {
  readonly rpId: string;
  readonly origins: readonly string[];
}

/** What an answer must be. */
export interface AnswerDemand {
  readonly party: RelyingParty;
  /** The challenge that was given, as base64url. */
  readonly challenge: string;
  readonly userVerification: boolean;
}

/** A credential that was just made. */
export interface NewCredential extends Credential {
  readonly counter: bigint;
}

type Enrolment = RequestBody<'factor.web-authn.confirm'>;
type Assertion = Extract<FactorProof, { kind: 'WebAuthn' }>['answer'];

/** The new credential, or undefined if the answer is not one to this challenge. */
export async function verifyEnrolment(
  answer: Enrolment,
  { party, challenge, userVerification }: AnswerDemand,
): Promise<NewCredential | undefined> {
  const { id, clientDataJSON, attestationObject, transports } = answer;
  const attestation = Uint8Array.from(Buffer.from(attestationObject, 'base64url'));
  const checked = await unlessItThrows(async () => {
    if (!ACCEPTED_FORMATS.includes(decodeAttestationObject(attestation).get('fmt')))
      return undefined;
    return await verifyRegistrationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON, attestationObject },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.rpId,
      requireUserVerification: userVerification || !isRoaming(transports),
      supportedAlgorithmIDs: ACCEPTED_ALGORITHMS,
    });
  });
  if (checked?.verified !== true) return undefined;
  const { credential, credentialDeviceType } = checked.registrationInfo;
  if (credential.id !== id) return undefined;
  return {
    id: Buffer.from(credential.id, 'base64url'),
    publicKey: credential.publicKey,
    // A key that can be copied to other machines is not one that somebody holds in his hand.
    roaming: isRoaming(transports) && credentialDeviceType === 'singleDevice',
    counter: BigInt(credential.counter),
  };
}

/** The signature counter of the answer, or undefined if it is no answer of this credential to this challenge. */
export async function verifyAssertion(
  answer: Assertion,
  credential: Credential,
  { party, challenge, userVerification }: AnswerDemand,
): Promise<bigint | undefined> {
  const { id, userHandle, ...response } = answer;
  const checked = await unlessItThrows(() =>
    verifyAuthenticationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { ...response, ...(userHandle === undefined ? {} : { userHandle }) },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.rpId,
      // The counter is compared by the store, atomically, where a clone has its own reason.
      credential: { id, publicKey: Uint8Array.from(credential.publicKey), counter: 0 },
      requireUserVerification: userVerification || !credential.roaming,
    }),
  );
  return checked?.verified === true ? BigInt(checked.authenticationInfo.newCounter) : undefined;
}

async function unlessItThrows<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run();
  } catch {
    return undefined;
  }
}
