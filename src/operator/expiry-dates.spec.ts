import { describe, expect, it } from '@jest/globals';
import { certificateExpiries, keyExpiries } from './expiry-dates.js';

const aGateway = (name: string, status: object) => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'SignalingGateway',
  metadata: { name, namespace: 'office' },
  status,
});
const authority = (notAfter: string) => ({
  purpose: 'Authority',
  secretName: 'sallyport-ca',
  notAfter,
});

describe('expiry dates', () => {
  it('S188: list each certificate once, the one that lasts longest', () => {
    const gateways = [
      aGateway('a', {
        certificates: [
          authority('2026-11-22T00:00:00Z'),
          authority('2026-11-23T00:00:00Z'),
          { purpose: 'Public', secretName: 'a-gateway-tls', notAfter: '2026-12-01T00:00:00Z' },
        ],
      }),
      aGateway('b', { certificates: [authority('2026-11-22T00:00:00Z')] }),
    ];
    expect(certificateExpiries(gateways)).toEqual([
      {
        namespace: 'office',
        secret: 'sallyport-ca',
        purpose: 'authority',
        notAfterSeconds: 1_795_392_000,
      },
      {
        namespace: 'office',
        secret: 'a-gateway-tls',
        purpose: 'public',
        notAfterSeconds: 1_796_083_200,
      },
    ]);
  });

  it('list lease keys by state, never by id', () => {
    const keys = [
      { kid: 'k1', state: 'Current', notAfter: '2026-11-23T00:00:00Z' },
      { kid: 'k2', state: 'Retired', notAfter: '2026-11-22T00:00:00Z' },
    ];
    const expiries = keyExpiries([aGateway('a', { keys })]);
    expect(expiries.map(({ state }) => state)).toEqual(['current', 'retired']);
    expect(JSON.stringify(expiries)).not.toContain('k1');
  });

  it('leave out what is no date, and resources without status', () => {
    expect(certificateExpiries([aGateway('a', { certificates: [authority('soon')] })])).toEqual([]);
    expect(keyExpiries([{ ...aGateway('a', {}), status: undefined }])).toEqual([]);
  });
});
