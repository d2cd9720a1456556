import { describe, expect, it } from '@jest/globals';
import { refuseReplacedVariables } from './replaced-variables.js';

const start = (env: Record<string, string>) => () => {
  refuseReplacedVariables(env);
};

describe('a variable of an earlier system', () => {
  it.each([
    ['WAVRY_GLOBAL_RATE_LIMIT', '100', 'rateLimits.connectionsPerSecond'],
    ['WAVRY_GLOBAL_RATE_LIMIT_WINDOW_SECS', '1', 'rateLimits.connectionsPerSecond'],
    ['WAVRY_TRUST_PROXY_HEADERS', '1', 'trustedProxies.cidrs'],
    ['WAVRY_TRUST_PROXY_HEADERS', '', 'trustedProxies.hops'],
    ['WAVRY_SIGNALING_TLS_PINS_SHA256', 'canary', 'pins'],
    ['WAVRY_SOMETHING', '1', 'SignalingGateway'],
  ])('S16: %s=%s stops the program and names the setting %s', (name, value, setting) => {
    expect(start({ [name]: value })).toThrow(`The variable ${name} does nothing here.`);
    expect(start({ [name]: value })).toThrow(setting);
    expect(start({ [name]: value })).not.toThrow('canary');
  });

  it('is told from others', () => {
    expect(start({ PATH: '/bin', MY_WAVRY_THING: '1' })).not.toThrow();
  });
});
