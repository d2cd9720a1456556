import { afterEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { answerTo, statusOf, TestEndpoint, upgradeRequest } from './gateway-endpoint.js';
import { startServer, type ServerBed } from './gateway-server-bed.js';

const beds: ServerBed[] = [];
afterEach(async () => {
  for (const bed of beds.splice(0)) await bed.stop();
});
async function bedWith(
  change: (settings: GatewaySettings) => Partial<GatewaySettings>,
): Promise<ServerBed> {
  const bed = await startServer({ settings: (settings) => ({ ...settings, ...change(settings) }) });
  beds.push(bed);
  return bed;
}
const limits =
  (rateLimits: Partial<GatewaySettings['rateLimits']>) => (settings: GatewaySettings) => ({
    rateLimits: { ...settings.rateLimits, ...rateLimits },
  });
const refusals = (bed: ServerBed, reason: string) =>
  bed.metric(`sallyport_gateway_upgrades_total{outcome="failure",reason="${reason}"}`);

describe('connections of one address', () => {
  it('S16: above the limit get 429 and when to come again, then no TLS at all', async () => {
    const bed = await bedWith(limits({ connectionsPerAddressPerMinute: 6 }));
    const answers: string[] = [];
    for (let i = 0; i < 10; i++) answers.push(await answerTo(bed.place, upgradeRequest()));
    expect(answers.map(statusOf)).toEqual([101, 101, 101, 101, 101, 101, 429, 429, 429, 429]);
    expect(answers[9]).toContain('Retry-After: 10\r\n');
    for (let i = 0; i < 14; i++) await answerTo(bed.place, upgradeRequest());
    // Four times the limit may begin TLS.
    await expect(answerTo(bed.place, upgradeRequest())).rejects.toThrow();
    bed.clock.ms += 10_000;
    expect(statusOf(await answerTo(bed.place, upgradeRequest()))).toBe(101);
    expect(await refusals(bed, 'address-limit')).toBe(19);
  });

  it('S16: are counted also when what they ask for is refused', async () => {
    const bed = await bedWith(limits({ connectionsPerAddressPerMinute: 2 }));
    const ask = () => answerTo(bed.place, upgradeRequest({}, '/admin'));
    expect([statusOf(await ask()), statusOf(await ask()), statusOf(await ask())]).toEqual([
      404, 404, 429,
    ]);
  });
});

describe('connections of everybody', () => {
  it('S16: above the global limit get 429, and the limit comes back within a second', async () => {
    const bed = await bedWith(limits({ connectionsPerSecond: 3 }));
    const ask = () => answerTo(bed.place, upgradeRequest());
    const statuses = [await ask(), await ask(), await ask(), await ask()].map(statusOf);
    expect(statuses).toEqual([101, 101, 101, 429]);
    expect(await refusals(bed, 'global-limit')).toBe(1);
    bed.clock.ms += 1_000;
    expect(statusOf(await ask())).toBe(101);
  });

  it('T25: are taken by nobody whose request is refused: strangers shut nobody out', async () => {
    const bed = await bedWith(limits({ connectionsPerSecond: 10 }));
    for (let i = 0; i < 20; i++) await answerTo(bed.place, upgradeRequest({}, `/${i}`));
    expect(statusOf(await answerTo(bed.place, upgradeRequest()))).toBe(101);
  });
});

describe('a gateway behind a proxy', () => {
  const behind =
    (hops: number, required = false) =>
    (settings: GatewaySettings) => ({
      trustedProxies: { cidrs: ['127.0.0.0/8'], hops, required },
      rateLimits: { ...settings.rateLimits, connectionsPerAddressPerMinute: 2 },
    });
  const from = (bed: ServerBed, forwardedFor: string, headers: Record<string, string> = {}) =>
    answerTo(bed.place, upgradeRequest({ 'X-Forwarded-For': forwardedFor, ...headers }));

  it('T21, S17: counts by the address that the proxy saw, whatever stands to its left', async () => {
    const bed = await bedWith(behind(1));
    const statuses = [];
    for (const forged of ['1.1.1.1', '2.2.2.2', '3.3.3.3'])
      statuses.push(statusOf(await from(bed, `${forged}, 198.51.100.1`)));
    expect(statuses).toEqual([101, 101, 429]);
    expect(statusOf(await from(bed, '198.51.100.2'))).toBe(101);
    expect(bed.facts.map(({ address }) => address)).toEqual([
      '198.51.100.1',
      '198.51.100.1',
      '198.51.100.2',
    ]);
  });

  it('T21: reads neither Forwarded nor X-Real-IP', async () => {
    const bed = await bedWith(behind(1));
    await from(bed, '198.51.100.1', { Forwarded: 'for=9.9.9.9', 'X-Real-IP': '9.9.9.9' });
    expect(bed.facts[0]?.address).toBe('198.51.100.1');
  });

  it('T21, S17: takes the entry that the outermost of its proxies wrote', async () => {
    const bed = await bedWith(behind(2));
    await from(bed, '6.6.6.6, 198.51.100.1, 127.0.0.9');
    expect(bed.facts[0]?.address).toBe('198.51.100.1');
    expect(statusOf(await from(bed, '6.6.6.6, 198.51.100.1, 192.0.2.9'))).toBe(400);
  });

  it.each(['garbage', 'fe80::1%lo', '[::1', '9'.repeat(60), `${'1.1.1.1, '.repeat(700)}x`])(
    'T21, S17: refuses what is no address: %j',
    async (entry) => {
      const bed = await bedWith(behind(1));
      expect(statusOf(await from(bed, entry))).toBe(400);
    },
  );

  it('gives no exporter to the login: what the client signed is another connection', async () => {
    const bed = await bedWith(behind(1));
    await from(bed, '198.51.100.1');
    expect(bed.facts).toEqual([{ address: '198.51.100.1', viaTrustedProxy: true }]);
  });
});

describe('a gateway without a proxy', () => {
  it('T21, S17: believes no header, and gives the exporter of the connection to the login', async () => {
    const bed = await bedWith(() => ({}));
    const headers = { 'X-Forwarded-For': '9.9.9.9' };
    const endpoint = await TestEndpoint.open(bed.place, { headers });
    const exporter = endpoint.tls.exportKeyingMaterial(
      32,
      'EXPORTER-Channel-Binding',
      Buffer.alloc(0),
    );
    const [facts] = bed.facts;
    expect(facts?.address).toBe('127.0.0.1');
    expect(facts?.viaTrustedProxy).toBe(false);
    expect(Buffer.from(facts?.exporter ?? []).equals(exporter)).toBe(true);
    endpoint.cut();
  });

  it('S14: refuses a client that comes past the ingress that its settings require', async () => {
    const bed = await bedWith(() => ({
      trustedProxies: { cidrs: ['192.0.2.0/24'], hops: 1, required: true },
    }));
    const answer = await answerTo(bed.place, upgradeRequest({ 'X-Forwarded-For': '192.0.2.1' }));
    expect(statusOf(answer)).toBe(400);
    expect(await refusals(bed, 'proxy')).toBe(1);
  });
});

describe('a gateway that ends', () => {
  it('says goodbye to everybody within five seconds and lets nobody in', async () => {
    const bed = await startServer();
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => bed.login(`account${i}`)));
    const started = Date.now();
    await bed.stop();
    expect(Date.now() - started).toBeLessThan(15_000);
    for (const endpoint of all)
      expect(await endpoint.closed).toEqual({ code: 4503, reason: 'gateway-ends' });
    await expect(TestEndpoint.open(bed.place)).rejects.toThrow();
  });
});
