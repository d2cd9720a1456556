import { describe, expect, it } from '@jest/globals';
import type { Contact } from '../../client/contacts/contact-book.js';
import { fingerprintOf } from '../../protocol/identity/account.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { answerLines } from './admin-screen.js';
import { answeredNumber, answerTo, CallMeter, probeFrame } from './call-probe.js';
import { gatewayEntry, listedGateway, readGatewayList } from './gateway-list.js';
import { fingerprintMeant } from './peer-name.js';
import { differenceText, phraseLines } from './phrase-screen.js';
import { qrLines, safetyLines, sameNumber } from './safety-screen.js';
import { proofOf, questionFor } from './second-factor.js';

const PIN = `sha256/${'A'.repeat(43)}=`;
const printOf = (seed: number): string => fingerprintOf(nodeBackend, new Uint8Array(32).fill(seed));

const contact = (seed: number, name?: string): Contact => ({
  ...{ fingerprint: printOf(seed), name, state: 'accepted', pathPolicy: 'RelayOnly' },
  ...{ verified: false, keyChanged: false, identity: undefined, devices: [] },
});

describe('a person on the command line', () => {
  const contacts = [contact(1, 'Bob'), contact(2), contact(3)];

  it('is meant by name, by fingerprint, and by the beginning of a known one', () => {
    expect(fingerprintMeant(contacts, 'Bob')).toBe(printOf(1));
    expect(fingerprintMeant(contacts, printOf(9))).toBe(printOf(9));
    expect(fingerprintMeant(contacts, printOf(2).slice(0, 10))).toBe(printOf(2));
  });

  it('is nobody when it is unknown, too short, or not the only one', () => {
    for (const text of ['Eve', 'sp1', printOf(2).slice(0, 7), 'bob'])
      expect(() => fingerprintMeant(contacts, text)).toThrow('There is no contact');
    const twins = [contact(2), { ...contact(2), fingerprint: `${printOf(2).slice(0, 34)}7` }];
    expect(() => fingerprintMeant(twins, printOf(2).slice(0, 12))).toThrow('Several contacts');
  });
});

describe('gateways.json', () => {
  const one = { host: 'gw.example', port: 8443, pins: [PIN] };

  it('lists gateways as the client takes them', () => {
    const text = JSON.stringify([{ ...one, address: '192.0.2.7', viaIngress: true }]);
    expect(readGatewayList(text, 'f').map(gatewayEntry)).toEqual([
      { url: 'wss://gw.example:8443', pins: [PIN], address: '192.0.2.7', viaIngress: true },
    ]);
  });

  it.each([
    ['{', 'f'],
    ['{}', 'must be array'],
    [JSON.stringify([{ ...one, port: 0 }]), '/0/port'],
    [JSON.stringify([{ ...one, pins: [] }]), '/0/pins'],
    [JSON.stringify([{ ...one, pins: ['sha256/x'] }]), 'needs pins'],
    [JSON.stringify([{ ...one, insecure: true }]), 'additional'],
    [JSON.stringify([{ ...one, address: 'here' }]), 'no IP address'],
    [JSON.stringify([{ ...one, host: 'a/b' }]), 'wss://HOST'],
  ])('refuses %s', (text, problem) => {
    expect(() => readGatewayList(text, 'f')).toThrow(problem);
  });

  it('is written from an address and pins', () => {
    expect(listedGateway('wss://GW.example', [PIN])).toEqual(one);
    expect(() => listedGateway('ws://gw.example', [PIN])).toThrow('not encrypted');
    expect(() => listedGateway('wss://gw.example', [])).toThrow('needs pins');
  });
});

describe('what is read and typed again', () => {
  it('is a phrase with numbered words', () => {
    expect(phraseLines('able baker charlie delta echo')).toEqual([
      ' 1 able        2 baker       3 charlie     4 delta',
      ' 5 echo',
    ]);
  });

  it('is told apart from the phrase by number and position', () => {
    expect(differenceText('a b c', 'a c b')).toBe('Not as shown: word 2, 3.');
    expect(differenceText('a b c', ' A  b ')).toBe('These are 2 words; the phrase has 3.');
  });

  it('is a safety number in lines, as a QR code, and compared whatever its blanks', () => {
    const number = Array.from({ length: 12 }, (_, i) => String(10_000 + i)).join(' ');
    expect(safetyLines('Bob', number)[2]).toBe('    10000 10001 10002 10003');
    expect(qrLines(number).length).toBeGreaterThan(10);
    expect(sameNumber(number, number.replaceAll(' ', '-'))).toBe(true);
    expect(sameNumber(number, number.slice(0, -1))).toBe(false);
    expect(sameNumber(number, number.replace('10011', '10012'))).toBe(false);
  });

  it('is a second factor of a kind that was asked for', () => {
    expect(proofOf(' 123 456 ', ['TOTP'])).toEqual({ kind: 'TOTP', code: '123456' });
    expect(proofOf('123456', ['RecoveryCode'])).toBeUndefined();
    expect(proofOf('ABCDE-fghij', ['TOTP', 'RecoveryCode'])).toEqual({
      ...{ kind: 'RecoveryCode', code: 'abcde-fghij' },
    });
    expect(questionFor(['WebAuthn'])).toBeUndefined();
    expect(questionFor(['TOTP'], 3)).toContain('3 tries left');
  });
});

describe('a measured call', () => {
  it('has frames that are answered once and never answered to', () => {
    const frame = probeFrame(7);
    const answer = answerTo(frame)!;
    expect(answeredNumber(answer)).toBe(7);
    expect(answerTo(answer)).toBeUndefined();
    expect(answeredNumber(frame)).toBeUndefined();
    expect(answerTo(frame.subarray(1))).toBeUndefined();
  });

  it('knows loss, round trip and jitter', () => {
    const meter = new CallMeter();
    for (let i = 0; i < 10; i++) meter.sent(20 * i);
    for (const [number, trip] of [
      [0, 10],
      [1, 14],
      [1, 99],
      [2, 10],
      [42, 1],
    ] as const)
      meter.returned(number, 20 * number + trip);
    expect(meter.report).toEqual({
      ...{ sent: 10, returned: 3, lossPercent: 70, jitterMs: 4 },
      roundTripMs: { p50: 10, p95: 14 },
    });
    expect(new CallMeter().report).toMatchObject({
      sent: 0,
      lossPercent: 0,
      roundTripMs: undefined,
    });
  });
});

describe('an answer to an administrator', () => {
  it('is a table of its fields, with days and moments', () => {
    const account = { account: printOf(1), state: 'Pending' as const, administrator: false };
    const items = [{ ...account, registeredOn: 86_400_000, devices: 1 }];
    expect(answerLines('admin.account.list', { items })).toEqual([
      `ACCOUNT${' '.repeat(30)}STATE    ADMINISTRATOR  REGISTERED ON  DEVICES`,
      `${printOf(1)}  Pending  no             1970-01-02     1`,
    ]);
  });

  it('is a code with how to take it back, nothing in a list, or that it is done', () => {
    const invite = { invite: 'i', code: 'abcd', expiresAt: 0 };
    expect(answerLines('admin.invite.create', invite)[0]).toContain('abcd');
    expect(answerLines('admin.relay.list', { items: [] })).toEqual(['None.']);
    expect(answerLines('admin.account.lock', {})).toEqual(['Done: account lock.']);
  });
});
