import { describe, expect, it } from '@jest/globals';
import { readDirectory } from './directory.js';

const directory = (host: string): string =>
  JSON.stringify({
    version: 1,
    gateways: [
      {
        namespace: 'edge',
        name: 'main',
        identity: 'spiffe://sallyport.test/main',
        host,
        port: 9443,
        leaseKeys: [],
        caCertificates: [],
      },
    ],
  });

describe('the host of a gateway in gateways.json', () => {
  it.each(['main.edge.svc.cluster.local', 'localhost', '10.0.0.7', '2001:db8::7'])(
    'may be %s',
    (host) => {
      expect(readDirectory(directory(host), 'gateways.json').gateways[0]?.host).toBe(host);
    },
  );
  it.each(['', 'a b', 'main/..', 'user@main', 'main:443', 'main?x', '-main', 'main.', 'ma\nin'])(
    'may not be %j, of which no address can be made or another one',
    (host) => {
      expect(() => readDirectory(directory(host), 'gateways.json')).toThrow(
        'gateways.json: the host of gateway edge/main is no DNS name or address.',
      );
    },
  );
});
