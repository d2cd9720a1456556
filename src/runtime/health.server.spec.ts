import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { ActionableError } from './errors.js';
import type { HealthState } from './health.js';
import { startHealthServer } from './health.server.js';
import { createMetricsRegistry } from './metrics.registry.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function terminus() {
  Logger.overrideLogger(false);
  const app = await NestFactory.createApplicationContext(TerminusModule.forRoot({ logger: false }));
  stops.push(() => app.close());
  return app.get(HealthCheckService);
}

async function serve(state: () => HealthState) {
  const health = await terminus();
  const metrics = createMetricsRegistry({ processMetrics: false });
  metrics
    .counter({ name: 'sallyport_tests_total', help: 'Tests.', labelNames: ['outcome'] })
    .inc({ outcome: 'success' }, 3);
  const pages = {
    live: [() => ({ name: 'process', state: 'up' as const, facts: {} })],
    ready: [
      () => ({
        name: 'caches',
        state: state(),
        facts: { synced: state() === 'up', lastEventAgeSeconds: 2 },
      }),
    ],
    metrics,
  };
  const server = await startHealthServer(pages, health, {
    addresses: ['127.0.0.1'],
    port: 0,
  });
  stops.push(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

describe('the health port', () => {
  it.each([
    ['up', 200, 'ok'],
    ['degraded', 200, 'degraded'],
    ['down', 503, 'error'],
  ] as const)('answers /readyz of a program that is %s with %d', async (state, code, status) => {
    const answer = await fetch(`${await serve(() => state)}/readyz`);
    expect(answer.status).toBe(code);
    expect(await answer.json()).toMatchObject({
      status,
      details: { caches: { status: state, lastEventAgeSeconds: 2 } },
    });
  });

  it('keeps /livez apart from /readyz', async () => {
    expect((await fetch(`${await serve(() => 'down')}/livez`)).status).toBe(200);
  });

  it('gives metrics as text', async () => {
    const answer = await fetch(`${await serve(() => 'up')}/metrics`);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    expect(await answer.text()).toContain('sallyport_tests_total{outcome="success"} 3');
  });

  it('answers nothing else, and no other method', async () => {
    const url = await serve(() => 'up');
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('says what to do when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    stops.push(
      () =>
        new Promise(
          (resolve) =>
            void other.close(() => {
              resolve();
            }),
        ),
    );
    const { port } = other.address() as AddressInfo;
    const pages = {
      live: [],
      ready: [],
      metrics: createMetricsRegistry({ processMetrics: false }),
    };
    const started = startHealthServer(pages, await terminus(), {
      addresses: ['127.0.0.1'],
      port,
    });
    await expect(started).rejects.toThrow(ActionableError);
    await expect(started).rejects.toMatchObject({ code: 'ERR_LISTEN' });
  });
});
