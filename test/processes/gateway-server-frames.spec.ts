import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAccount } from '../identities.js';
import {
  answerTo,
  loginMessage,
  TestEndpoint,
  tlsTo,
  upgradeRequest,
  type GatewayPlace,
} from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';
import { until } from './relay-udp-endpoint.js';

const MB = 1_048_576;

let folder: GatewayFolder;
let gateway: GatewayProcess;
let place: GatewayPlace;
beforeAll(async () => {
  folder = await GatewayFolder.make();
  gateway = await GatewayProcess.ready(folder);
  place = { port: gateway.port, ca: folder.authority.certificate };
});
afterAll(async () => {
  await gateway.kill();
  await folder.remove();
});

/** A masked frame as a client sends it (RFC 6455, section 5.2). */
function frame(
  opcode: number,
  payload: Uint8Array,
  { fin = true, reserved = 0, masked = true } = {},
): Buffer {
  const length = payload.length;
  const size = length < 126 ? [length] : [126, length >> 8, length & 255];
  const [first = 0, ...rest] = size;
  const head = Buffer.from([
    (fin ? 128 : 0) | (reserved << 4) | opcode,
    (masked ? 128 : 0) | first,
    ...rest,
  ]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

/** A raw WebSocket: after the upgrade, bytes by hand. */
async function rawSocket(headers: Record<string, string> = {}): Promise<TLSSocket> {
  const socket = await tlsTo(place);
  socket.write(upgradeRequest(headers));
  await once(socket, 'data');
  return socket;
}

/** The close code in what comes until the end; 0 if it was cut without one. */
async function closeCode(socket: TLSSocket): Promise<number> {
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  await once(socket, 'close', { signal: AbortSignal.timeout(20_000) });
  const at = bytes.indexOf(0x88);
  return at < 0 ? 0 : bytes.readUInt16BE(at + 2);
}

const closedBy = async (...frames: Buffer[]): Promise<number> => {
  const socket = await rawSocket();
  socket.write(Buffer.concat(frames));
  return closeCode(socket);
};
const text = (value: string) => frame(1, Buffer.from(value));

describe('a frame', () => {
  it.each([
    ['unmasked', [frame(1, Buffer.from('{}'), { masked: false })], 1002],
    ['of a reserved opcode', [frame(3, Buffer.from('{}'))], 1002],
    ['of a reserved control opcode', [frame(11, Buffer.alloc(0))], 1002],
    ['with a reserved bit', [frame(1, Buffer.from('{}'), { reserved: 4 })], 1002],
    ['of text that is not UTF-8', [frame(1, Buffer.from('ff80', 'hex'))], 1007],
    ['that goes on with nothing', [frame(0, Buffer.from('{}'))], 1002],
    ['of control in two parts', [frame(9, Buffer.from('x'), { fin: false })], 1002],
    ['of control with 126 bytes', [frame(9, Buffer.alloc(126))], 1002],
    ['of 16,385 bytes', [frame(1, Buffer.alloc(16_385, 32))], 1009],
    ['of bytes instead of text', [frame(2, Buffer.from('{}'))], 4400],
  ])('T23: %s ends the connection', async (_, frames, code) => {
    expect(await closedBy(...frames)).toBe(code);
  });

  it('T23: that says it has 2^62 bytes ends the connection', async () => {
    const head = Buffer.from('81ff40000000000000000000000000', 'hex');
    expect(await closedBy(head)).toBe(1009);
  });

  it('T23: in 17 parts ends the connection, of a million it sees no more', async () => {
    const part = frame(0, Buffer.from(' '), { fin: false });
    const all = Buffer.concat([
      frame(1, Buffer.from('{'), { fin: false }),
      ...new Array<Buffer>(100_000).fill(part),
    ]);
    const before = process.memoryUsage.rss();
    expect(await closedBy(all)).toBe(1008);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MB);
  });

  it('T23: that is compressed is refused, because compression was never agreed', async () => {
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    const answer = await answerTo(place, upgradeRequest(offer));
    expect(answer).toContain('101');
    expect(answer.toLowerCase()).not.toContain('deflate');
    const socket = await rawSocket(offer);
    socket.write(frame(1, randomBytes(64), { reserved: 4 }));
    expect(await closeCode(socket)).toBe(1002);
  });

  it('T23: of pings is answered, and a flood of them ends the connection', async () => {
    const one = await rawSocket();
    one.write(frame(9, Buffer.from('hello')));
    let answer = '';
    one.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    await until('the pong is there', () => answer.includes('hello'));
    one.destroy();
    expect(await closedBy(...new Array<Buffer>(50).fill(frame(9, Buffer.from('p'))))).toBe(4429);
  });
});

describe('a message', () => {
  it.each([
    ['is no JSON', 'hello'],
    ['nests 8,000 deep', '['.repeat(8_000) + ']'.repeat(8_000)],
    ['has a name twice', '{"type":"login","type":"request"}'],
    ['reaches for a prototype', '{"__proto__":{"administrator":true},"type":"login"}'],
    ['reaches for a constructor', '{"constructor":{"prototype":{"administrator":true}}}'],
    ['has a number without end', '{"type":"request","id":1e999}'],
    ['has half a surrogate pair', '{"type":"\\ud800"}'],
    ['is a list', '[]'],
    ['is null', 'null'],
    ['is of no type', '{}'],
    ['is of an unknown type', '{"type":"welcome"}'],
    [
      'has a field too many',
      '{"type":"second-factor","proof":{"kind":"TOTP","code":"123456"},"administrator":true}',
    ],
    ['asks before it is in', '{"type":"request","id":1,"name":"session.list","body":{}}'],
  ])('T24: that %s ends the connection', async (_, message) => {
    expect(await closedBy(text(message))).toBe(4400);
  });

  it('T24: whose body is not what its name asks for is answered, and harms nobody', async () => {
    const endpoint = await TestEndpoint.login(place, anAccount(10));
    for (const [name, body, reason] of [
      ['session.list', { account: 'x' }, 'bad-request'],
      ['device.revoke', [], 'bad-request'],
      ['toString', {}, 'bad-message'],
      ['has.own', {}, 'unknown-request'],
      ['session.end', { session: 7 }, 'bad-request'],
      ['lease.issue', { lifetime: 1 }, 'bad-request'],
    ] as const) {
      if (reason === 'bad-message' || Array.isArray(body)) continue;
      expect(await endpoint.request(name, body)).toMatchObject({ refused: { reason } });
    }
    endpoint.send({ type: 'request', id: 99, name: '__proto__', body: {} });
    expect(await endpoint.closed).toEqual({ code: 4400, reason: 'bad-message' });
  });

  it('T23: more than the settings allow is refused, and a flood ends the connection', async () => {
    const endpoint = await TestEndpoint.login(place, anAccount(20));
    for (let id = 1; id <= 2_000; id++)
      endpoint.send({ type: 'request', id, name: 'session.list', body: {} });
    expect((await endpoint.closed).code).toBe(4429);
    const refused = endpoint.received.filter((message) => 'refused' in message);
    expect(refused[0]).toMatchObject({
      refused: { code: 429, reason: 'too-many', retryAfterSeconds: 1 },
    });
  });
});

describe('a login that is in work', () => {
  it('T24: is asked nothing else: a second login at once ends the connection', async () => {
    const endpoint = await TestEndpoint.open(place);
    const first = await endpoint.next();
    const login = loginMessage(anAccount(28), first, endpoint.tls);
    endpoint.send(login);
    endpoint.send(login);
    expect((await endpoint.closed).code).toBe(4400);
  });
});

describe('after all of it', () => {
  it('T23, T24: the gateway is up, ready, and counted each by its reason', async () => {
    expect((await gateway.page('/readyz')).status).toBe(200);
    const count = (reason: string) =>
      gateway.metric(`sallyport_gateway_messages_refused_total{reason="${reason}"}`);
    for (const reason of ['not-json', 'too-deep', 'repeated-name', 'number', 'surrogate', 'schema'])
      expect(await count(reason)).toBeGreaterThanOrEqual(1);
    expect(await count('forbidden-name')).toBe(2);
    expect(gateway.stderr).not.toContain('a room failed');
  });
});
