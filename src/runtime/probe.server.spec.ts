import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProbeServer } from './probe.server.js';

const SLOW = 32;

describe('the health port among clients that never finish a request', () => {
  let server: ProbeServer;
  let slow: Socket[] = [];
  beforeAll(async () => {
    const pages = {
      ready: () => ({ code: 200 as const, body: 'ready' }),
      metrics: { text: () => Promise.resolve(''), contentType: 'text/plain' },
    };
    server = await ProbeServer.start(pages, { addresses: ['127.0.0.1'], port: 0 });
  });
  afterAll(async () => {
    for (const socket of slow) socket.destroy();
    await server.close();
  });

  it('T22: answers a probe again within seconds', async () => {
    slow = Array.from({ length: SLOW }, () => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET /livez HTTP/1.1\r\nx: ');
      return socket;
    });
    await Promise.all(
      slow.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    const since = Date.now();
    const answers: boolean[] = [];
    while (answers.at(-1) !== true && Date.now() - since < 60_000) answers.push(await probe());
    expect(answers[0]).toBe(false);
    expect(answers.at(-1)).toBe(true);
    expect(Date.now() - since).toBeLessThan(20_000);
  }, 70_000);

  /** Whether a new connection is answered. */
  function probe(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(server.port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('error', () => undefined);
      socket.once('close', () => {
        resolve(text.includes('200 OK'));
      });
      socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    });
  }
});
