/** Why a Noise message was refused. Closed: each is a metric label, none is ever sent back. */
export type NoiseRefusal =
  'too-short' | 'too-long' | 'wrong-tag' | 'zero-shared-secret' | 'reserved-nonce';

/** Which rule the calling code broke. Closed. */
export type NoiseMisuseCode =
  | 'ERR_NOISE_UNKNOWN_SUITE'
  | 'ERR_NOISE_UNKNOWN_PATTERN'
  | 'ERR_NOISE_KEY'
  | 'ERR_NOISE_NULL_KEY'
  | 'ERR_NOISE_BUFFER'
  | 'ERR_NOISE_WRONG_TURN'
  | 'ERR_NOISE_NOT_FINISHED'
  | 'ERR_NOISE_SPENT'
  | 'ERR_NOISE_NONCE_REUSED'
  | 'ERR_NOISE_NONCE_EXHAUSTED';

/** A mistake of the code that uses Noise, never of the network; it is thrown at once and nothing has changed. */
export class NoiseMisuse extends Error {
  override readonly name = 'NoiseMisuse';
  constructor(
    readonly code: NoiseMisuseCode,
    message: string,
  ) {
    super(message);
  }
}
