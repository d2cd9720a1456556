import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../../test/identities.js';
import { isEnvelopeText, isTokenText, namesSender } from './envelope-text.js';
import { HandshakeBudget, REPORT_BURST } from './handshake-budget.js';

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

describe('the budget of a connection that reports handshakes', () => {
  it('takes a thousand at once, nothing more, and one more for each second', () => {
    const budget = new HandshakeBudget();
    expect(budget.take(REPORT_BURST, 1_000_000)).toBe(0);
    expect(budget.take(5, 1_000_000)).toBe(5);
    expect(budget.take(5, 1_004_999)).toBe(1);
    expect(budget.take(5, 1_005_000)).toBe(0);
    expect(budget.take(1, 1_005_000)).toBe(1);
  });
  it('never grows beyond a thousand, nor when the clock goes back', () => {
    const budget = new HandshakeBudget();
    expect(budget.take(1, 1e12)).toBe(0);
    expect(budget.take(REPORT_BURST, 0)).toBe(1);
  });
});

describe('the text of an envelope', () => {
  it.each([512, 2_048, 8_192])('stands for %d bytes', (length) => {
    expect(isEnvelopeText(base64url(bytesOf(0xff, length)))).toBe(true);
  });
  it.each([0, 1, 511, 513, 2_047, 2_049, 8_191, 8_193])('never stands for %d bytes', (length) => {
    expect(isEnvelopeText(base64url(bytesOf(0xff, length)))).toBe(false);
  });
  it('is one text for given bytes: bits behind the last byte are zero', () => {
    const text = base64url(bytesOf(0xff, 512));
    expect(text.endsWith('_w8') || text.endsWith('8')).toBe(true);
    expect(isEnvelopeText(`${text.slice(0, -1)}9`)).toBe(false);
    expect(isTokenText('AAAAAAAAAAAAAAAAAAAAAA')).toBe(true);
    expect(isTokenText('AAAAAAAAAAAAAAAAAAAAAB')).toBe(false);
  });
  it('of a first contact names its sender in the first 48 bytes, and nobody else', () => {
    const identity = bytesOf(1);
    const device = bytesOf(2, 16);
    const envelope = base64url(Buffer.concat([identity, device, bytesOf(3, 464)]));
    expect(namesSender(envelope, { identity, device: base64url(device) })).toBe(true);
    expect(namesSender(envelope, { identity: bytesOf(9), device: base64url(device) })).toBe(false);
    expect(namesSender(envelope, { identity, device: base64url(bytesOf(9, 16)) })).toBe(false);
  });
});
