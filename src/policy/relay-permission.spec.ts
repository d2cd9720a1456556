import { describe, expect, it } from '@jest/globals';
import { aRelayPool, aSignalingGateway } from '../../test/builders.js';
import { relayPermission } from './relay-permission.js';

const inA = { metadata: { namespace: 'a' } };
const inB = { metadata: { namespace: 'b' } };
const namesPool = { relayPools: [{ name: 'frankfurt', namespace: 'b' }] };
const namesGateway = { allowedGateways: [{ name: 'edge', namespace: 'a' }] };

describe('a gateway and a pool', () => {
  it.each([
    ['of one namespace, both silent', inA, inA, 'Permitted'],
    ['of two namespaces, both silent', inA, inB, 'GatewayDoesNotUse'],
    [
      'of two namespaces, both naming each other',
      { ...inA, ...namesPool },
      { ...inB, ...namesGateway },
      'Permitted',
    ],
    ['of two namespaces, the pool silent', { ...inA, ...namesPool }, inB, 'PoolDoesNotAllow'],
    [
      'of two namespaces, the gateway silent',
      inA,
      { ...inB, ...namesGateway },
      'GatewayDoesNotUse',
    ],
    [
      'of one namespace, the pool naming another gateway',
      inB,
      { ...inB, ...namesGateway },
      'PoolDoesNotAllow',
    ],
    [
      'named without a namespace, which means the own',
      { ...inA, relayPools: [{ name: 'frankfurt' }] },
      inB,
      'GatewayDoesNotUse',
    ],
  ])('%s: %s', (_, gateway, pool, expected) => {
    expect(relayPermission(aSignalingGateway(gateway), aRelayPool(pool))).toBe(expected);
  });
});
