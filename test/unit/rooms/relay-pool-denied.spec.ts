import { describe, expect, it } from '@jest/globals';
import { REFUSED_BY_RELAYS } from '../../../src/operator/relay-pool/configuration.js';
import { parseIpAddress } from '../../../src/runtime/ip-address.js';
import { newAddress, setAddress } from '../../../src/relay/packet/address.js';
import { DeniedAddresses } from '../../../src/relay/packet/denied.js';
import { parseIpRange } from '../../../src/runtime/ip-address.js';
import type { RelaySettings } from '../../../src/relay/settings.js';
import { aRelayPool } from '../../builders.js';
import { observedPool, planPoolAt } from './observed-relay-pool.js';

/** What the operator makes of a pool. */
function denied(overrides: Parameters<typeof aRelayPool>[0] = {}) {
  const { apply } = planPoolAt(observedPool(aRelayPool(overrides))).plan;
  const map = apply.find(({ metadata }) => metadata.name === 'frankfurt-relay-settings')!;
  const text = (map['data'] as Record<string, string>)['settings.json']!;
  const { peerAddresses } = JSON.parse(text) as RelaySettings;
  const policy = apply.find(({ kind }) => kind === 'NetworkPolicy')!;
  return {
    peerAddresses,
    settings: peerAddresses.denied,
    policy: JSON.stringify(policy['spec']),
  };
}

/** A relay with these settings that listens at `listening`. */
function relay(listening: readonly string[], overrides: Parameters<typeof aRelayPool>[0] = {}) {
  const { peerAddresses } = denied(overrides);
  const addresses = new DeniedAddresses({ ...peerAddresses, listening, ports: [3478] });
  const words = newAddress();
  return (bytes: Uint8Array): boolean => {
    setAddress(words, bytes, { port: 50_000, link: 0 });
    return addresses.has(words);
  };
}

const ip = (text: string): Uint8Array => parseIpAddress(text)!;

/** First and last address of a range. */
function endsOf(text: string): readonly Uint8Array[] {
  const { bytes, bits } = parseIpRange(text)!;
  const last = bytes.map((byte, at) => {
    const free = Math.min(8, Math.max(0, (at + 1) * 8 - bits));
    return byte | ((1 << free) - 1);
  });
  return [bytes, last];
}

describe('what a relay never sends to', () => {
  it.each(['10.96.0.0/12', '192.0.2.10/32', '64:ff9b::/96'])(
    'T6: %s, in its settings and in its network policy',
    (range) => {
      const { settings, policy } = denied();
      expect(settings).toContain(range);
      expect(policy).toContain(`"${range}"`);
    },
  );

  it.each(REFUSED_BY_RELAYS)(
    'T6: %s, refused by the relay itself and in its network policy, not in its settings',
    (range) => {
      const { settings, policy } = denied();
      expect(settings).not.toContain(range);
      // No network policy names the unspecified address: nothing is ever sent to it.
      if (range !== '::/128') expect(policy).toContain(`"${range}"`);
      expect(endsOf(range).map(relay([]))).toEqual([true, true]);
    },
  );

  it('T6: pods and nodes, where clients come through a load balancer', () => {
    expect(denied({ exposure: { type: 'LoadBalancer' } }).settings).toContain('10.244.0.0/16');
    expect(denied({}).settings).not.toContain('10.244.0.0/16');
  });

  it('T6: what the pool denies, and no private range that it does not', () => {
    const { settings, policy } = denied({ peerAddresses: { denied: ['192.168.0.0/16'] } });
    expect(settings).toContain('192.168.0.0/16');
    expect(policy).toContain('"192.168.0.0/16"');
    expect(denied({}).settings).not.toContain('192.168.0.0/16');
  });
});

describe('a relay with the settings that the operator writes', () => {
  it('sends to peers of IPv4 and IPv6', () => {
    const isDenied = relay([]);
    for (const text of ['198.51.100.7', '192.168.1.5', '::ffff:198.51.100.7', '2001:db8::8'])
      expect([text, isDenied(ip(text))]).toEqual([text, false]);
  });

  it('T6: sends to peers on loopback if it listens there and nowhere else', () => {
    const peers = ['127.0.0.1', '127.0.0.9', '::1'].map(ip);
    expect(peers.map(relay(['127.0.0.2']))).toEqual([false, false, false]);
    expect(peers.map(relay(['127.0.0.2', '192.0.2.1']))).toEqual([true, true, true]);
    expect(peers.map(relay([]))).toEqual([true, true, true]);
  });
});
