import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../../../test/processes/relay-shell-bed.js';
import { relayIdentity } from './relay-identity.js';

const [edge, other] = [new TestAuthority('edge'), new TestAuthority('other')];
const trust = new Map([
  ['edge', [new X509Certificate(edge.certificate)]],
  ['other', [new X509Certificate(other.certificate)]],
]);
const EU = 'spiffe://prod.sallyport/ns/edge/RelayPool/eu';
const identityOf = (authority: TestAuthority, uri: string) =>
  relayIdentity(new X509Certificate(authority.leaf(uri).certificate).raw, {
    installId: 'prod',
    trust,
  });

describe('the certificate of a relay', () => {
  it('is that of its pool when the authority of its namespace issued it', () => {
    expect(identityOf(edge, EU)).toBe(EU);
  });

  it.each([
    ['issued by the authority of another namespace', other, EU],
    ['issued by a stranger of the same name', new TestAuthority('edge'), EU],
    [
      'of another namespace than its authority',
      edge,
      'spiffe://prod.sallyport/ns/other/RelayPool/eu',
    ],
    ['of a namespace without an authority', edge, 'spiffe://prod.sallyport/ns/third/RelayPool/eu'],
    ['of another installation', edge, 'spiffe://test.sallyport/ns/edge/RelayPool/eu'],
    ['of a gateway', edge, 'spiffe://prod.sallyport/ns/edge/SignalingGateway/main'],
    ['of a longer path', edge, 'spiffe://prod.sallyport/ns/edge/RelayPool/eu/../x'],
    ['of a domain that only begins so', edge, 'spiffe://prod.sallyport.evil/ns/edge/RelayPool/eu'],
  ])('S23: is nobody if it is %s', (_, authority, uri) => {
    expect(identityOf(authority, uri)).toBeUndefined();
  });
});
