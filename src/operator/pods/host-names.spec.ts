import { describe, expect, it } from '@jest/globals';
import { isClusterName, isNumeric } from './host-names.js';

describe('a host of a gateway in the namespace `chat`', () => {
  it.each([
    'edge-gateway',
    'database.chat',
    'edge-gateway-internal.chat',
    'edge-gateway-internal.other',
    'edge-gateway-0.edge-gateway-internal.chat',
    'edge-relay-0.chat',
    'frankfurt-relay-0.frankfurt-relay.chat',
    'database.chat.svc',
    'database.chat.svc.cluster.local',
    'edge.k8s.local',
    'edge.localhost',
  ])('T51: is not %s, which the DNS of the cluster may resolve to a Service', (host) => {
    expect(isClusterName(host, 'chat')).toBe(true);
  });

  it.each([
    'chat.example.com',
    'example.com',
    'www.example.chat',
    'edge-gateway-internal.example.com',
    'localhost',
  ])('may be %s', (host) => {
    expect(isClusterName(host, 'chat')).toBe(false);
  });

  it('is no number, however it is written', () => {
    const hosts = ['192.0.2.1', '300.1.1.1', 'chat.7', '7', 'a7.example', '7.example'];
    expect(hosts.filter(isNumeric)).toEqual(['192.0.2.1', '300.1.1.1', 'chat.7', '7']);
  });
});
