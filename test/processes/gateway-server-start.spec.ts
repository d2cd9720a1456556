import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { anAccount } from '../identities.js';
import { answerTo, statusOf, TestEndpoint, upgradeRequest } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await GatewayFolder.make();
});
afterAll(() => folder.remove());

/** Exit code and log of a gateway that must not start. */
async function refusedStart(options: Parameters<typeof GatewayProcess.run>[1]): Promise<string> {
  const gateway = GatewayProcess.run(folder, options);
  const code = await gateway.ended;
  return `${code} ${gateway.stderr}`;
}

describe('a gateway that is asked for less security', () => {
  it.each([
    ['--insecure', { args: ['--insecure'] }, /^64 .*--insecure asks for less security/],
    ['SALLYPORT_INSECURE', { env: { SALLYPORT_INSECURE: '1' } }, /^78 .*SALLYPORT_INSECURE/],
    ['SSLKEYLOGFILE', { env: { SSLKEYLOGFILE: '/tmp/canary' } }, /^78 .*secrets of TLS/],
    ['--tls-min-v1.0', { node: ['--tls-min-v1.0'] }, /^78 .*older TLS than 1.3/],
    [
      'WAVRY_GLOBAL_RATE_LIMIT',
      { env: { WAVRY_GLOBAL_RATE_LIMIT: '0' } },
      /^78 .*connectionsPerSecond/,
    ],
    [
      'WAVRY_TRUST_PROXY_HEADERS',
      { env: { WAVRY_TRUST_PROXY_HEADERS: '1' } },
      /^78 .*trustedProxies/,
    ],
  ])('S16, S19: stops with the reason at %s', async (_, options, reason) => {
    const said = await refusedStart(options);
    expect(said).toMatch(reason);
    expect(said).not.toContain('canary');
  });

  it.each<readonly [string, (settings: GatewaySettings) => object, RegExp]>([
    ['tls: false', (settings) => ({ ...settings, tls: false }), /^78 .*less security/],
    [
      'a limit of 0',
      (settings) => ({
        ...settings,
        rateLimits: { ...settings.rateLimits, connectionsPerSecond: 0 },
      }),
      /^78 .*rateLimits.connectionsPerSecond=0 is not a whole number from 1/,
    ],
    [
      'an origin that is plain HTTP',
      (settings) => ({ ...settings, allowedOrigins: ['http://good.example'] }),
      /^78 .*allowedOrigins holds/,
    ],
    ['no host', (settings) => ({ ...settings, hosts: [] }), /^78 .*hosts is empty/],
  ])('S16, S18, S19: stops with the reason at the setting %s', async (_, change, reason) => {
    await folder.writeSettings(change);
    expect(await refusedStart({})).toMatch(reason);
    await folder.writeSettings((same) => same);
  });
});

/** Names of labels of ours, with their metrics, that have more values than that. */
function labelsWithMoreThan(most: number, metrics: string): readonly string[] {
  const labels = new Map<string, Set<string>>();
  for (const [, name, all = ''] of metrics.matchAll(/^(sallyport_\w+)\{(.*)\} /gm))
    for (const [, label, value = ''] of all.matchAll(/(\w+)="([^"]*)"/g)) {
      const key = `${String(name)} ${String(label)}`;
      labels.set(key, (labels.get(key) ?? new Set()).add(value));
    }
  return [...labels].filter(([, values]) => values.size > most).map(([key]) => key);
}

describe('a gateway that runs', () => {
  it('T32, T34, T35: writes one line for each event, and nothing of what strangers send', async () => {
    const gateway = await GatewayProcess.ready(folder);
    const place = { port: gateway.port, ca: folder.authority.certificate };
    const canary = 'canary\u001b[31m|CEF="]\\';
    for (const headers of [
      { Origin: `https://${canary}` },
      { Host: canary },
      { 'User-Agent': canary, Referer: `https://x/?token=${canary}`, Cookie: canary },
      { 'X-Forwarded-For': canary },
    ])
      await answerTo(place, upgradeRequest(headers));
    expect(statusOf(await answerTo(place, upgradeRequest({}, '/signaling?token=canary')))).toBe(
      404,
    );
    const endpoint = await TestEndpoint.login(place, anAccount(40));
    endpoint.send({ type: 'request', id: 1, name: 'canary.a', body: { canary: '\u2028\r\nfake' } });
    await endpoint.until(({ type }) => type === 'answer');
    endpoint.send(`{"canary":"\\u001b[2J"}`);
    await endpoint.closed;
    const { body } = await gateway.page('/metrics');
    for (const output of [gateway.stderr, gateway.stdout, body])
      expect(output).not.toContain('canary');
    for (const line of `${gateway.stderr}${gateway.stdout}`.trim().split('\n'))
      expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(labelsWithMoreThan(12, body)).toEqual([]);
    await gateway.kill();
  });

  it('takes up limits and origins while it runs, and says what only a new process takes', async () => {
    const gateway = await GatewayProcess.ready(folder);
    const place = { port: gateway.port, ca: folder.authority.certificate };
    const ask = () => answerTo(place, upgradeRequest({ Origin: 'https://new.example' }));
    expect(statusOf(await ask())).toBe(403);
    await folder.writeSettings((settings) => ({
      ...settings,
      allowedOrigins: ['https://new.example'],
      installId: 'another',
    }));
    await gateway.said('settings changed that only a new process takes up');
    expect(statusOf(await ask())).toBe(101);
    await folder.writeSettings((settings) => ({ ...settings, hosts: 7 }));
    await gateway.answers(200, /settings: kept what was there before/);
    expect(statusOf(await ask())).toBe(101);
    await gateway.kill();
    await folder.writeSettings((same) => same);
  });

  it('ends within ten seconds after SIGTERM with exit code 0, and takes its clients with it', async () => {
    const gateway = await GatewayProcess.ready(folder);
    const place = { port: gateway.port, ca: folder.authority.certificate };
    const endpoint = await TestEndpoint.login(place, anAccount(44));
    gateway.child.kill('SIGTERM');
    expect(await endpoint.closed).toEqual({ code: 4503, reason: 'gateway-ends' });
    expect(await gateway.ended).toBe(0);
    expect(gateway.stderr).not.toContain('stopping failed');
  });
});
