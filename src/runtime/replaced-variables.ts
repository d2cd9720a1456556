/*
 * Variables by which an earlier system was configured. Ours are settings in a file; who still sets a variable must not
 * believe that it does something.
 */
import { ActionableError } from './errors.js';

/** Names of variables, and the setting that says the same. */
const REPLACED: readonly (readonly [RegExp, string])[] = [
  [
    /^WAVRY_GLOBAL_RATE_LIMIT/,
    'rateLimits.connectionsPerSecond of the SignalingGateway; it is always on and never 0',
  ],
  [
    /^WAVRY_TRUST_PROXY_HEADERS$/,
    'trustedProxies.cidrs and trustedProxies.hops of the SignalingGateway; nothing else is trusted',
  ],
  [/^WAVRY_SIGNALING_TLS_PINS_SHA256$/, 'the pins of each gateway in the list of the endpoint'],
  [/^WAVRY_/, 'the fields of the SignalingGateway'],
];

/**
 * Stops a program for which such a variable is set, whatever it holds.
 * @throws ActionableError ERR_SETTING naming the variable and the setting, never its value
 */
export function refuseReplacedVariables(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    const setting = REPLACED.find(([pattern]) => pattern.test(name))?.[1];
    if (setting === undefined || value === undefined) continue;
    throw new ActionableError(
      'ERR_SETTING',
      `The variable ${name.slice(0, 64)} does nothing here.`,
      `Remove it and use ${setting}.`,
    );
  }
}
