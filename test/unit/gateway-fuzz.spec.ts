import { describe, expect, it } from '@jest/globals';
import {
  isRequestBody,
  MESSAGE_REFUSALS,
  readFromEndpoint,
  readFromRelay,
} from '../../src/gateway/server/message-reader.js';
import { REQUEST_NAMES } from '../../src/messages/requests.js';
import { fuzzDecoder } from '../fuzz/fuzz.js';

const RUNS = 20_000;
const REQUEST_RUNS = 2_000;

const bytesOf = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const OF_ENDPOINTS = [
  {
    type: 'login',
    ...{ host: 'gw.example', binding: 1, device: 'A'.repeat(268), revocations: [] },
    signature: 'A'.repeat(86),
  },
  { type: 'second-factor', proof: { kind: 'TOTP', code: '123456' } },
  { type: 'request', id: 1, name: 'session.list', body: {} },
].map(bytesOf);
const OF_RELAYS = [
  {
    type: 'register',
    pool: 'edge/eu',
    ordinal: 0,
    boot: 'ab'.repeat(16),
    wire: 1,
    profile: 'Standard',
    kids: [],
  },
  {
    type: 'heartbeat',
    ...{ seq: 1, at: 1_772_366_400_000, sessions: 1, packets: 2, bytes: 3, drops: 0 },
    ...{ kids: [], draining: false },
  },
].map(bytesOf);

describe('what a gateway reads of strangers', () => {
  it.each([
    ['an endpoint', readFromEndpoint, OF_ENDPOINTS],
    ['a relay', readFromRelay, OF_RELAYS],
  ])(
    'S11: never throws on bytes of %s, and is refused for a reason of the closed list',
    (_, read, corpus) => {
      const decode = (bytes: Uint8Array) => {
        const answer = read(textOf(bytes));
        return 'refused' in answer ? answer.refused : answer.message;
      };
      for (const bytes of corpus) expect(read(textOf(bytes))).toHaveProperty('message');
      const target = { decode, corpus, refusals: MESSAGE_REFUSALS, seed: 11, runs: RUNS };
      const { accepted, refused } = fuzzDecoder(target);
      expect(accepted).toBeGreaterThanOrEqual(corpus.length);
      expect([...refused.keys()]).toEqual(expect.arrayContaining(['schema']));
    },
  );

  it('S11: is judged without a throw as the body of any request', () => {
    for (const name of REQUEST_NAMES) {
      const decode = (bytes: Uint8Array) => {
        const answer = readFromEndpoint(
          `{"type":"request","id":1,"name":"${name}","body":${textOf(bytes)}}`,
        );
        if ('refused' in answer) return answer.refused;
        const { body } = answer.message as { readonly body: unknown }; // A request, by its type.
        return isRequestBody(name, body) ? { body } : 'schema';
      };
      const corpus = [
        bytesOf({}),
        bytesOf({ account: 'sp1', tokens: ['A'.repeat(22)], rid: 'a/b/0' }),
      ];
      const target = { decode, corpus, refusals: MESSAGE_REFUSALS, seed: 11, runs: REQUEST_RUNS };
      expect(fuzzDecoder(target).total).toBeGreaterThan(REQUEST_RUNS);
    }
  });
});
