import { describe, expect, it } from '@jest/globals';
import {
  aConfiguration,
  aSession,
  forward,
  hello,
  prove,
  TestGateway,
} from '../../../test/processes/relay-udp-bed.js';
import { PROVED, Still } from '../../../test/processes/relay-udp-still.js';
import { parseIpAddress } from '../../runtime/ip-address.js';
import { newAddress, setAddress } from './address.js';
import { DeniedAddresses } from './denied.js';
import { parseIpRange } from '../../runtime/ip-address.js';

const at = (text: string, port = 4_000) => {
  const words = newAddress();
  setAddress(words, parseIpAddress(text)!, { port, link: 0 });
  return words;
};
const denied = (changes: Partial<ConstructorParameters<typeof DeniedAddresses>[0]> = {}) =>
  new DeniedAddresses({
    listening: [],
    denied: ['10.96.0.0/12', '172.20.0.1/32', 'fd12::/16'],
    own: ['203.0.113.9', '2001:db8::9'],
    ports: [3478],
    ...changes,
  });

/** Where nobody's datagrams go. */
const NEVER = [
  '127.0.0.1',
  '127.255.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '::127.0.0.1',
  '169.254.169.254',
  '::ffff:a9fe:a9fe',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff02::1',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  '240.0.0.1',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  '64:ff9b::127.0.0.1',
  '64:ff9b::10.96.0.1',
  '2002:7f00:1::1',
  '10.96.0.1',
  '10.111.255.255',
  '172.20.0.1',
  'fd12:1::5',
  '203.0.113.9',
  '2001:db8::9',
];

describe('addresses to which a relay never sends', () => {
  it.each(NEVER)('T6: %s is one', (text) => {
    expect(denied().has(at(text))).toBe(true);
  });

  it.each([
    '198.51.100.7',
    '10.95.255.255',
    '10.112.0.0',
    '192.168.1.5',
    'fc00::1',
    '2001:db8::8',
    '64:ff9b::8.8.8.8',
    '172.20.0.2',
  ])('T6: %s is none', (text) => {
    expect(denied().has(at(text))).toBe(false);
  });

  it('T6: no address has port 0', () => {
    expect(denied().has(at('198.51.100.7', 0))).toBe(true);
  });

  it('T6: loopback is allowed to who listens on loopback and nowhere else, except its own port', () => {
    const local = denied({ listening: ['127.0.0.1', '::1'] });
    expect([local.has(at('127.0.0.1')), local.has(at('::1'))]).toEqual([false, false]);
    expect(local.has(at('127.0.0.1', 3_478))).toBe(true);
    expect(denied({ listening: ['127.0.0.1', '192.0.2.1'] }).has(at('127.0.0.1'))).toBe(true);
    expect(denied({ listening: ['192.0.2.1'] }).has(at('192.0.2.1'))).toBe(true);
  });

  it('T6: its own address is no other one where it listens on loopback only, though the operator names it', () => {
    const local = denied({ listening: ['127.0.0.2'], own: ['127.0.0.2', '203.0.113.9'] });
    expect(local.has(at('127.0.0.2'))).toBe(false);
    expect(local.has(at('127.0.0.2', 3_478))).toBe(true);
    expect(local.has(at('203.0.113.9'))).toBe(true);
  });

  it.each(['::ffff:0:0/96', '::/8', '::/1'])('%s denies no IPv4 address', (range) => {
    const some = denied({ denied: [range] });
    expect(some.has(at('198.51.100.7'))).toBe(false);
    expect(some.has(at('::ffff:198.51.100.7'))).toBe(false);
  });

  it.each(['0.0.0.0/0', '198.51.100.0/24', '::ffff:198.51.100.0/120'])(
    '%s denies IPv4 addresses, however they are written, and none of IPv6',
    (range) => {
      const some = denied({ denied: [range] });
      expect(some.has(at('198.51.100.7'))).toBe(true);
      expect(some.has(at('::ffff:198.51.100.7'))).toBe(true);
      expect(some.has(at('2001:db8::8'))).toBe(false);
    },
  );

  it.each(['10.0.0.0/33', '::/129', '10.0.0/8', 'fe80::%1/64', '1.2.3.4/-1', '/8', '01.2.3.4/8'])(
    'refuses %s as a range',
    (text) => {
      expect(parseIpRange(text)).toBeUndefined();
    },
  );

  it('T6: a peer with a valid lease at such an address gets nothing', () => {
    const gateway = new TestGateway();
    const still = new Still(
      aConfiguration([gateway.key()], { peerAddresses: { denied: ['10.96.0.0/12'], own: [] } }),
    );
    const sid = aSession();
    for (const text of [
      '127.0.0.1',
      '::1',
      '169.254.169.254',
      '10.96.0.1',
      'fe80::1',
      '203.0.113.1',
    ])
      expect(still.receive(`${text} 80`, hello(sid))).toEqual([]);
    expect(still.statistics.drops['address-denied']).toBe(6);
  });

  it('T6: a range that is denied later ends the slots inside it', () => {
    const gateway = new TestGateway();
    const still = new Still(aConfiguration([gateway.key()]));
    const sid = aSession();
    const cookie = still.cookie('198.51.100.7 1', sid);
    expect(still.answerTo('198.51.100.7 1', prove(gateway.lease(sid, 'client'), cookie, 1n))).toBe(
      PROVED,
    );
    expect(still.prove('192.0.2.1 2', gateway.lease(sid, 'server'))).toBe(PROVED);
    still.relay.configure(
      aConfiguration([gateway.key()], { peerAddresses: { denied: ['198.51.100.0/24'], own: [] } }),
    );
    expect(still.receive('192.0.2.1 2', forward(sid, Uint8Array.of(1)))).toEqual([]);
  });
});
