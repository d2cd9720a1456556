import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { startFaultProxy } from '../faults/fault-proxy.js';
import type { FaultProxy } from '../faults/fault-proxy.js';
import { startApiServer } from './bed/api-server.js';
import type { TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';

const MAPS = '/api/v1/namespaces/default/configmaps';

/** What a client sees of one call: its status and body, or the code of its error. */
interface Seen {
  readonly status?: number;
  readonly retryAfter?: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any answer of the API server
  readonly body?: any;
  readonly error?: string;
  readonly ms: number;
}

describe('a fault proxy in front of an API server', () => {
  let server: TestApiServer;
  let proxy: FaultProxy;
  let agent: Agent;
  let serial = 0;

  beforeAll(async () => {
    server = await startApiServer();
    proxy = await startFaultProxy(server);
    // A new connection per call: what one call suffers is not seen by the next.
    agent = new Agent({ pipelining: 0, connect: { ca: server.ca } });
  });
  afterEach(async () => {
    proxy.clear();
    proxy.resume();
    await proxy.up();
  });
  afterAll(async () => {
    await agent.destroy();
    await proxy.stop();
    await server.stop();
  });

  async function ask(
    method: string,
    path: string,
    body?: object,
    timeoutMs = 5_000,
  ): Promise<Seen> {
    const begin = performance.now();
    const ms = (): number => performance.now() - begin;
    try {
      const answer = await request(proxy.url + path, {
        dispatcher: agent,
        method,
        headers: {
          authorization: `Bearer ${server.tokenOf('admin')}`,
          'user-agent': 'client under test',
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const seen = { status: answer.statusCode, body: await answer.body.json(), ms: ms() };
      const retryAfter = answer.headers['retry-after'];
      return typeof retryAfter === 'string' ? { ...seen, retryAfter } : seen;
    } catch (error) {
      return { error: (error as { code?: string }).code ?? (error as Error).name, ms: ms() };
    }
  }

  const aMap = (): { kind: string; apiVersion: string; metadata: { name: string } } => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `map-${++serial}` },
  });
  const atServer = (name: string): Promise<unknown> => server.admin.get(`${MAPS}/${name}`);

  /** A watch through the proxy, with all that the client got so far. */
  async function watch(path = MAPS): Promise<Watch> {
    const answer = await request(`${proxy.url}${path}?watch=true&allowWatchBookmarks=false`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${server.tokenOf('admin')}` },
    });
    const seen: Watch = { text: '', state: 'Open', stop: () => answer.body.destroy() };
    answer.body.on('data', (chunk: Buffer) => (seen.text += chunk.toString()));
    answer.body.on('end', () => (seen.state = 'Ended'));
    answer.body.on('error', () => (seen.state = 'Broken'));
    return seen;
  }

  it('passes calls on unchanged, and lists them', async () => {
    const map = aMap();
    const begin = proxy.calls.length;
    expect(await ask('POST', MAPS, map)).toMatchObject({ status: 201, body: map });
    expect(await ask('GET', `${MAPS}/${map.metadata.name}`)).toMatchObject({ status: 200 });
    expect(await ask('GET', `${MAPS}/absent`)).toMatchObject({ status: 404 });
    expect(proxy.calls.slice(begin)).toEqual([
      expect.objectContaining({ method: 'POST', path: MAPS, status: 201 }),
      expect.objectContaining({ method: 'GET', path: `${MAPS}/${map.metadata.name}`, status: 200 }),
      expect.objectContaining({
        path: `${MAPS}/absent`,
        userAgent: 'client under test',
        status: 404,
      }),
    ]);
  });

  it('refuses connections while it is down, and serves on the same port afterwards', async () => {
    const { url } = proxy;
    await proxy.down();
    expect(await ask('GET', MAPS)).toMatchObject({ error: 'ECONNREFUSED' });
    await proxy.up();
    expect(proxy.url).toBe(url);
    expect(await ask('GET', MAPS)).toMatchObject({ status: 200 });
  });

  it('resets the connection of a request that the server then never sees', async () => {
    const map = aMap();
    proxy.add({ match: { method: 'POST' }, fault: { kind: 'Reset' } });
    expect(await ask('POST', MAPS, map)).toMatchObject({ error: 'ECONNRESET' });
    expect(await atServer(map.metadata.name)).toBeUndefined();
    expect(await ask('POST', MAPS, map)).toMatchObject({ status: 201 });
  });

  it('delays a request', async () => {
    proxy.add({ fault: { kind: 'Delay', ms: 400 } });
    const delayed = await ask('GET', MAPS);
    expect(delayed.status).toBe(200);
    expect(delayed.ms).toBeGreaterThan(390);
    expect((await ask('GET', MAPS)).ms).toBeLessThan(390);
  });

  it('stalls one request and leaves the others alone', async () => {
    const map = aMap();
    proxy.add({ match: { method: 'POST' }, fault: { kind: 'Stall' } });
    expect(await ask('POST', MAPS, map, 300)).toMatchObject({ error: 23 });
    expect(await atServer(map.metadata.name)).toBeUndefined();
    expect(await ask('GET', MAPS)).toMatchObject({ status: 200 });
  });

  it('stalls everything half-open: connections are accepted and kept, nothing is answered', async () => {
    proxy.stall();
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    const events: string[] = [];
    for (const event of ['connect', 'data', 'end', 'error'])
      socket.on(event, () => events.push(event));
    const answer = ask('GET', MAPS, undefined, 5_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(events).toEqual(['connect']);
    socket.destroy();
    proxy.resume();
    const { status, ms } = await answer;
    expect(status).toBe(200);
    expect(ms).toBeGreaterThan(490);
  });

  it.each([401, 409, 410, 500] as const)(
    'answers %s with a Status instead of the server',
    async (code) => {
      const map = aMap();
      proxy.add({
        match: { method: 'POST', path: /configmaps$/ },
        fault: { kind: 'Status', code },
      });
      expect(await ask('POST', MAPS, map)).toMatchObject({
        status: code,
        body: { kind: 'Status', code },
      });
      expect(await atServer(map.metadata.name)).toBeUndefined();
    },
  );

  it('answers 429 with Retry-After', async () => {
    proxy.add({ fault: { kind: 'Status', code: 429, retryAfterSeconds: 7 } });
    expect(await ask('GET', MAPS)).toMatchObject({
      status: 429,
      retryAfter: '7',
      body: { reason: 'TooManyRequests', details: { retryAfterSeconds: 7 } },
    });
  });

  it('drops the answer after the server has acted', async () => {
    const map = aMap();
    proxy.add({ match: { method: 'POST' }, fault: { kind: 'DropAnswer' } });
    expect(await ask('POST', MAPS, map)).toMatchObject({ error: 'ECONNRESET' });
    expect(await atServer(map.metadata.name)).toMatchObject(map);
    const call = proxy.calls.at(-1);
    expect(call).toMatchObject({ serverStatus: 201, fault: 'DropAnswer' });
    expect(call?.status).toBeUndefined();
  });

  it('harms only the requests that a rule means, from the nth on and so many times', async () => {
    const rule = proxy.add({
      match: { method: ['GET', 'POST'], userAgent: 'under test' },
      nth: 2,
      times: 2,
      fault: { kind: 'Status', code: 500 },
    });
    proxy.add({ match: { userAgent: 'another client' }, fault: { kind: 'Reset' } });
    const statuses: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask('GET', MAPS)).status);
    expect(statuses).toEqual([200, 500, 500, 200]);
    expect(rule.hits).toBe(2);
  });

  it('tells a listener of an answer before the client has it', async () => {
    const order: string[] = [];
    const end = proxy.onAnswer(async ({ method, serverStatus }) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${method} ${serverStatus ?? 'none'}`);
    });
    await ask('POST', MAPS, aMap()).then(() => order.push('client'));
    end();
    await ask('GET', MAPS);
    expect(order).toEqual(['POST 201', 'client']);
  });

  describe('with a watch', () => {
    const version = async (): Promise<string> =>
      String((await server.admin.get(`${MAPS}?limit=1`)).metadata.resourceVersion);
    const create = async (): Promise<string> => {
      const map = aMap();
      await server.request('POST', MAPS, map);
      return map.metadata.name;
    };

    it('passes each event on at once', async () => {
      const seen = await watch();
      const name = await create();
      const begin = performance.now();
      await eventually('the event is there', () => seen.text.includes(name), { everyMs: 1 });
      expect(performance.now() - begin).toBeLessThan(500);
      expect(seen.state).toBe('Open');
      expect(proxy.openWatches({ path: 'configmaps' })).toBe(1);
      seen.stop();
      await eventually('the proxy forgets the watch', () => proxy.openWatches() === 0);
    });

    it('cuts an open watch in the middle of a line', async () => {
      const seen = await watch();
      const name = await create();
      await eventually('the event is there', () => seen.text.includes(name));
      proxy.cutWatches();
      await eventually('the watch breaks', () => seen.state === 'Broken');
      expect(seen.text.endsWith('\n')).toBe(false);
    });

    it.each([
      ['Abrupt', 'Broken'],
      ['Clean', 'Ended'],
    ] as const)('passes on half of an event and ends: %s', async (end, state) => {
      proxy.add({ match: { watch: true }, fault: { kind: 'CutMidLine', afterEvents: 1, end } });
      const seen = await watch(`/api/v1/namespaces`);
      await eventually('the watch is over', () => seen.state === state);
      const [first, half] = seen.text.split('\n') as [string, string];
      expect(JSON.parse(first)).toMatchObject({ type: 'ADDED' });
      expect(half.length).toBeGreaterThan(100);
      expect(() => JSON.parse(half) as unknown).toThrow(SyntaxError);
    });

    it('writes an ERROR event with a 410 into an open watch, or after so many events', async () => {
      const open = await watch();
      await eventually('the watch is open', () => proxy.openWatches() === 1);
      proxy.expireWatches();
      await eventually('the watch ends', () => open.state === 'Ended');
      proxy.add({ match: { watch: true }, fault: { kind: 'ExpireInStream', afterEvents: 1 } });
      const ruled = await watch(`/api/v1/namespaces`);
      await eventually('the watch ends', () => ruled.state === 'Ended');
      expect(ruled.text.trim().split('\n')).toHaveLength(2);
      for (const { text } of [open, ruled]) {
        const last: unknown = JSON.parse(text.trim().split('\n').at(-1)!);
        expect(last).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
      }
    });

    it('answers 410 to the request that opens a watch', async () => {
      proxy.add({ match: { watch: true }, fault: { kind: 'Status', code: 410 } });
      const path = `${MAPS}?watch=true&resourceVersion=${await version()}`;
      expect(await ask('GET', path)).toMatchObject({ status: 410, body: { reason: 'Expired' } });
    });

    it('writes a line that is no JSON and goes on', async () => {
      proxy.add({ match: { watch: true }, fault: { kind: 'BadLine', afterEvents: 1 } });
      const seen = await watch(`/api/v1/namespaces`);
      await eventually('three lines are there', () => seen.text.split('\n').length > 3);
      const lines = seen.text.split('\n').slice(0, 3);
      expect(() => JSON.parse(lines[1]!) as unknown).toThrow(SyntaxError);
      expect(JSON.parse(lines[2]!)).toMatchObject({ type: 'ADDED' });
      seen.stop();
    });

    it('freezes open watches and later delivers what was held back', async () => {
      const seen = await watch();
      await eventually('the watch is open', () => proxy.openWatches() === 1);
      proxy.freezeWatches();
      const name = await create();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(seen).toMatchObject({ state: 'Open' });
      expect(seen.text).not.toContain(name);
      proxy.resume();
      await eventually('the event is there', () => seen.text.includes(name));
      seen.stop();
    });

    it('goes silent after so many events when a rule says so', async () => {
      proxy.add({ match: { watch: true }, fault: { kind: 'StallWatch', afterEvents: 1 } });
      const seen = await watch(`/api/v1/namespaces`);
      await eventually('the first event is there', () => seen.text.includes('\n'));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(seen.text.split('\n')).toHaveLength(2);
      expect(seen.state).toBe('Open');
      seen.stop();
    });

    it('breaks watches when the API server dies, and passes calls on when it is back', async () => {
      const seen = await watch();
      await eventually('the watch is open', () => proxy.openWatches() === 1);
      await server.killKubeApiServer();
      await eventually('the watch breaks', () => seen.state !== 'Open');
      expect(await ask('GET', MAPS)).toMatchObject({ error: 'ECONNRESET' });
      await server.startKubeApiServer();
      expect(await ask('GET', MAPS)).toMatchObject({ status: 200 });
    });
  });
});

interface Watch {
  text: string;
  state: 'Open' | 'Ended' | 'Broken';
  readonly stop: () => void;
}
