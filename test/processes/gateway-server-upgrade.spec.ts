import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  answerTo,
  statusOf,
  TestEndpoint,
  tlsTo,
  upgradeRequest,
  type GatewayPlace,
} from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess, HOST } from './gateway-process.js';

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

const refused = (reason: string) =>
  `sallyport_gateway_upgrades_total{outcome="failure",reason="${reason}"}`;

/** Bytes until the other side ends the connection. */
async function rawAnswer(bytes: string): Promise<string> {
  const socket = connectTcp(place.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close', { signal: AbortSignal.timeout(20_000) });
  return text;
}

describe('the public port', () => {
  it('S14, S18: speaks TLS and nothing else: plain HTTP and ws:// get no answer', async () => {
    expect(await rawAnswer(upgradeRequest())).not.toContain('HTTP/');
    expect(await rawAnswer(`PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n`)).not.toContain('HTTP/');
  });

  it('S18: speaks TLS 1.3 and nothing older', async () => {
    const { port, ca } = place;
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca,
      servername: HOST,
      maxVersion: 'TLSv1.2',
    });
    const [error] = (await once(socket, 'error')) as [Error & { readonly code: string }];
    expect(error.code).toMatch(/PROTOCOL_VERSION|ALERT/);
    expect((await tlsTo(place)).getProtocol()).toBe('TLSv1.3');
  });

  it.each([
    ['/', 404],
    ['/metrics', 404],
    ['/livez', 404],
    ['/readyz', 404],
    ['/admin', 404],
    ['/admin/../signaling', 404],
    ['/%73ignaling', 404],
    ['//signaling', 404],
    ['/SIGNALING', 404],
    ['/signaling?token=abc', 404],
    [`https://${HOST}/signaling`, 404],
    ['/relay-registry', 404],
  ])('S11, T32, T33: answers %s with %s and with nothing else', async (target, status) => {
    const answer = await answerTo(place, upgradeRequest({}, target));
    expect(statusOf(answer)).toBe(status);
    expect(answer.split('\r\n\r\n')[1]).toBe('');
    expect(answer).not.toMatch(/server:|x-powered-by|node|sallyport/i);
  });

  it.each(['HEAD', 'OPTIONS', 'POST', 'DELETE'])(
    'T32: answers the method %s with 405',
    async (method) => {
      const answer = await answerTo(
        place,
        upgradeRequest({ 'X-HTTP-Method-Override': 'GET' }, '/signaling', method),
      );
      expect(statusOf(answer)).toBe(405);
      expect(answer).toContain('Allow: GET');
    },
  );

  it('T32: answers CORS questions with nothing that allows anything', async () => {
    const headers = { Origin: 'https://good.example', 'Access-Control-Request-Method': 'GET' };
    const answer = await answerTo(place, upgradeRequest(headers, '/signaling', 'OPTIONS'));
    expect(answer.toLowerCase()).not.toContain('access-control');
  });

  it('T33: answers what asks for no WebSocket with 426, h2c among it', async () => {
    const plain = { Upgrade: undefined, Connection: undefined };
    expect(statusOf(await answerTo(place, upgradeRequest(plain)))).toBe(426);
    const h2c = {
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABkAAQAAP__',
      Connection: 'Upgrade, HTTP2-Settings',
    };
    expect(statusOf(await answerTo(place, upgradeRequest(h2c)))).toBe(426);
    expect(statusOf(await answerTo(place, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`))).toBe(400);
  });

  it.each([
    ['a length and chunks', { 'Content-Length': '6', 'Transfer-Encoding': 'chunked' }],
    ['chunks', { 'Transfer-Encoding': 'chunked' }],
    ['chunks in disguise', { 'Transfer-Encoding': 'xchunked' }],
    ['chunks with a tab', { 'Transfer-Encoding\t': 'chunked' }],
    ['a body', { 'Content-Length': '44' }],
    ['two lengths', { 'Content-Length': '4', 'content-length': '5' }],
    ['a continuation', { Expect: '100-continue' }],
    ['a folded header', { 'X-A': 'b\r\n c' }],
    ['a naked line feed', { 'X-A': 'b\nTransfer-Encoding: chunked' }],
  ])('T33: refuses a request with %s, and what was smuggled behind it', async (_, headers) => {
    const smuggled = `${upgradeRequest(headers)}0\r\n\r\n${upgradeRequest()}`;
    const answer = await answerTo(place, smuggled);
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(answer).not.toContain('101');
  });

  it.each(['evil.example', 'localhost.evil.example', 'localhost@evil.example', ''])(
    'T33: refuses the host %j',
    async (host) => {
      expect(statusOf(await answerTo(place, upgradeRequest({ Host: host })))).toBe(400);
    },
  );

  it('T33: refuses 9 kB of headers and 2,001 of them, and stays up', async () => {
    expect(statusOf(await answerTo(place, upgradeRequest({ 'X-A': 'a'.repeat(9_000) })))).toBe(400);
    const many = Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`a${i}`, '']));
    expect(statusOf(await answerTo(place, upgradeRequest(many)))).toBe(400);
    const sixty = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`a${i}`, '1']));
    expect(statusOf(await answerTo(place, upgradeRequest(sixty)))).toBe(400);
  });
});

describe('a browser', () => {
  it.each([
    'null',
    'https://evil.example',
    'https://good.example.evil.com',
    'https://good.example:444',
    'https://GOOD.example',
    'https://good.example.',
    'https://b\u00fccher.example',
    'file://',
  ])('T20: is refused with the origin %s, with a cookie or without', async (origin) => {
    const answer = await answerTo(place, upgradeRequest({ Origin: origin, Cookie: 'session=abc' }));
    expect(statusOf(answer)).toBe(403);
  });

  it('T20: is let in with an origin of the settings, letter by letter', async () => {
    for (const origin of ['https://good.example', 'https://xn--bcher-kva.example'])
      expect(statusOf(await answerTo(place, upgradeRequest({ Origin: origin })))).toBe(101);
  });

  it('T20: does nothing with cookies: whoever is in has to log in', async () => {
    const headers = { Cookie: 'session=abc', Authorization: 'Bearer abc' };
    const endpoint = await TestEndpoint.open(place, { headers });
    expect((await endpoint.next()).type).toBe('challenge');
    endpoint.send({ type: 'request', id: 1, name: 'session.list', body: {} });
    expect(await endpoint.closed).toEqual({ code: 4400, reason: 'bad-message' });
  });
});

describe('a client that takes its time', () => {
  it('T22: is cut while it sends headers byte by byte', async () => {
    const socket = await tlsTo(place);
    const started = Date.now();
    const timer = setInterval(() => socket.write('a'), 500);
    socket.write('GET /signaling HTTP/1.1\r\nX-');
    await once(socket, 'close');
    clearInterval(timer);
    expect(Date.now() - started).toBeLessThan(30_000);
  });

  it('T22: is cut in the middle of TLS', async () => {
    const socket = connectTcp(place.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await once(socket, 'close', { signal: AbortSignal.timeout(30_000) });
  });

  it('T22: is cut when it opens a WebSocket and says nothing', async () => {
    const endpoint = await TestEndpoint.open(place);
    expect(await endpoint.closed).toEqual({ code: 4408, reason: 'too-slow' });
    expect(endpoint.received.at(-1)).toEqual({ type: 'refused', reason: 'too-slow' });
  });

  it('T22: leaves nothing behind', async () => {
    const end = Date.now() + 20_000;
    const series = 'sallyport_gateway_sockets{state="login"}';
    while ((await gateway.metric(series)) !== 0 && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await gateway.metric(series)).toBe(0);
  });
});

describe('refusals', () => {
  it('T35: are counted by reason, and no path, host or origin is in the metrics', async () => {
    expect(await gateway.metric(refused('not-found'))).toBeGreaterThanOrEqual(12);
    expect(await gateway.metric(refused('origin'))).toBeGreaterThanOrEqual(8);
    const { body } = await gateway.page('/metrics');
    expect(body).not.toMatch(/evil|admin\/|SIGNALING|127\.0\.0\.1/);
  });
});
