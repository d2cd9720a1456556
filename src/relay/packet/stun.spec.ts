import { describe, expect, it } from '@jest/globals';
import { aConfiguration } from '../../../test/processes/relay-udp-bed.js';
import { Still } from '../../../test/processes/relay-udp-still.js';
import { parseIpAddress } from '../../runtime/ip-address.js';
import { newAddress, setAddress } from './address.js';
import { crc32 } from './crc32.js';
import { bindingAnswer, isStun, readBindingRequest } from './stun.js';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');
const TRANSACTION = 'b7e7a701 bc34d686 fa87dfae';
const MAGIC = '2112a442';
/** RFC 5769, section 2.1. */
const REQUEST = hex(`00010058 ${MAGIC} ${TRANSACTION}
  80220010 5354554e 20746573 7420636c 69656e74
  00240004 6e0001ff
  80290008 932ff9b1 51263b36
  00060009 6576746a 3a683676 59202020
  00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
  80280004 e57a3bcf`);
/** XOR-MAPPED-ADDRESS of RFC 5769, sections 2.2 and 2.3. */
const XOR_IPV4 = '00200008 0001a147 e112a643';
const XOR_IPV6 = '00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9';

const address = (text: string, port = 32_853) => {
  const words = newAddress();
  setAddress(words, parseIpAddress(text)!, { port, link: 0 });
  return words;
};
const plain = hex(`00010000 ${MAGIC} ${TRANSACTION}`);
/** A request with the PADDING attribute and a FINGERPRINT. */
function padded(bytes: number): Buffer {
  const body = Buffer.alloc(4 + bytes);
  body.writeUInt16BE(0x0026, 0);
  body.writeUInt16BE(bytes, 2);
  const head = hex(`00010000 ${MAGIC} ${TRANSACTION}`);
  head.writeUInt16BE(body.length + 8, 2);
  const before = Buffer.concat([head, body]);
  const print = hex('80280004 00000000');
  print.writeUInt32BE((crc32(before) ^ 0x5354554e) >>> 0, 4);
  return Buffer.concat([before, print]);
}

describe('STUN Binding', () => {
  it('S67: reads the request of RFC 5769, its FINGERPRINT and what it does not know', () => {
    const request = readBindingRequest(REQUEST);
    expect(request).toEqual({
      transaction: hex(TRANSACTION),
      fingerprint: true,
      unknown: [0x0024],
    });
  });

  it('S67: refuses the request of RFC 5769 with any byte of it flipped under the FINGERPRINT', () => {
    for (let at = 20; at < REQUEST.length; at++) {
      const bytes = Buffer.from(REQUEST);
      bytes[at]! ^= 0x10;
      // A flipped type or length of FINGERPRINT itself makes it another attribute, which is no proof of anything.
      const read = readBindingRequest(bytes);
      expect(read === undefined || !read.fingerprint).toBe(true);
    }
  });

  it.each([
    ['192.0.2.1', XOR_IPV4],
    ['2001:db8:1234:5678:11:2233:4455:6677', XOR_IPV6],
  ])('S67: tells %s as RFC 5769 writes it', (text, attribute) => {
    const request = readBindingRequest(plain)!;
    const answer = bindingAnswer(request, address(text));
    expect(Buffer.from(answer)).toEqual(
      Buffer.concat([
        Uint8Array.of(1, 1, 0, hex(attribute).length),
        hex(`${MAGIC} ${TRANSACTION} ${attribute}`),
      ]),
    );
  });

  it('ends its answer with a FINGERPRINT if the request had one', () => {
    const request = readBindingRequest(padded(32))!;
    const answer = bindingAnswer(request, address('192.0.2.1'));
    const view = Buffer.from(answer);
    expect(view.readUInt16BE(2)).toBe(20);
    expect(view.readUInt32BE(answer.length - 4)).toBe(
      (crc32(answer.subarray(0, -8)) ^ 0x5354554e) >>> 0,
    );
  });

  it('answers 420 with the list of what has to be understood and is not (RFC 8489, 6.3.1)', () => {
    const answer = bindingAnswer(readBindingRequest(REQUEST)!, address('192.0.2.1'));
    expect(Buffer.from(answer).toString('hex').slice(40, 80)).toBe(
      '0009000400000414' + '000a000200240000' + '80280004',
    );
  });

  it.each([
    ['a response', `01010000 ${MAGIC} ${TRANSACTION}`],
    ['an indication', `00110000 ${MAGIC} ${TRANSACTION}`],
    ['a length that is not its own', `00010004 ${MAGIC} ${TRANSACTION}`],
    ['an attribute that is cut off', `00010004 ${MAGIC} ${TRANSACTION} 80220004`],
    [
      'a FINGERPRINT before the end',
      `00010010 ${MAGIC} ${TRANSACTION} 80280004 e57a3bcf 80220004 00000000`,
    ],
  ])('refuses %s', (_, text) => {
    expect(readBindingRequest(hex(text))).toBeUndefined();
  });

  it('is told from relay frames by its first bytes', () => {
    expect(isStun(plain, 0, plain.length)).toBe(true);
    for (const [at, value] of [
      [0, 0x40],
      [0, 0x57],
      [4, 0x20],
    ] as const) {
      const bytes = Buffer.from(plain);
      bytes[at] = value;
      expect(isStun(bytes, 0, bytes.length)).toBe(false);
    }
    expect(isStun(plain, 0, 19)).toBe(false);
  });
});

describe('a relay that is asked for an address', () => {
  const FROM = '192.0.2.1 32853';

  it('T7: answers padded requests only, unless the setting allows plain ones', () => {
    const strict = new Still(aConfiguration([]));
    expect(strict.receive(FROM, plain)).toEqual([]);
    expect(strict.statistics.drops['stun-unpadded']).toBe(1);
    expect(strict.receive(FROM, padded(32))).toHaveLength(1);
    const open = new Still(aConfiguration([], { stun: { allowPlain: true } }));
    expect(open.receive(FROM, plain)).toHaveLength(1);
  });

  it('T7: answers one source as often as the setting says', () => {
    const still = new Still(aConfiguration([], { stun: { allowPlain: true } }));
    let answers = 0;
    for (let i = 0; i < 50; i++) answers += still.receive(FROM, plain).length;
    expect(answers).toBe(5);
    expect(still.statistics.drops['stun-limit']).toBe(45);
    still.pass(1_000);
    expect(still.receive(FROM, plain)).toHaveLength(1);
  });
});
