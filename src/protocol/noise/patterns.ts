import { NoiseMisuse } from './noise-error.js';

/** A step of a handshake message (Noise rev 34, section 7.1). */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss';

/** A handshake pattern: who sends what, message by message, the initiator first. */
export interface HandshakePattern {
  /** Whether the initiator knows the responder's static key before the first message. */
  readonly responderStaticKnown: boolean;
  /** Whether only the initiator may send after the handshake (Noise rev 34, section 7.4). */
  readonly oneWay: boolean;
  readonly messages: readonly (readonly Token[])[];
}

/** The patterns that the product uses. */
export const PATTERNS = {
  // XX:
  //   -> e
  //   <- e, ee, s, es
  //   -> s, se
  XX: {
    responderStaticKnown: false,
    oneWay: false,
    messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
  },
  // X:
  //   <- s
  //   ...
  //   -> e, es, s, ss
  X: {
    responderStaticKnown: true,
    oneWay: true,
    messages: [['e', 'es', 's', 'ss']],
  },
} as const satisfies Readonly<Record<string, HandshakePattern>>;

/** The name of a known pattern. */
export type PatternName = keyof typeof PATTERNS;

/** The pattern called `name`. @throws NoiseMisuse ERR_NOISE_UNKNOWN_PATTERN for every other name. */
export function patternNamed(name: string): HandshakePattern {
  if (!Object.hasOwn(PATTERNS, name))
    throw new NoiseMisuse('ERR_NOISE_UNKNOWN_PATTERN', `no Noise pattern is called "${name}"`);
  return PATTERNS[name as PatternName]; // The line above found it among the keys.
}
