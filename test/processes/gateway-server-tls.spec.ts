import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TLSSocket } from 'node:tls';
import { anAccount } from '../identities.js';
import { TestEndpoint, tlsTo, type GatewayPlace } from './gateway-endpoint.js';
import { GATEWAY_IDENTITY, GatewayFolder, GatewayProcess, HOST } from './gateway-process.js';
import { TestAuthority } from './relay-shell-bed.js';
import { until } from './relay-udp-endpoint.js';

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

const serialOf = (socket: TLSSocket): string => {
  const { serialNumber } = socket.getPeerX509Certificate()!;
  socket.destroy();
  return serialNumber;
};
const served = async (): Promise<string> => serialOf(await tlsTo(place));
const serialIn = (pem: string): string => new X509Certificate(pem).serialNumber;
const loads = (outcome: string) =>
  gateway.metric(`sallyport_gateway_file_loads_total{file="public-tls",outcome="${outcome}"}`);

describe('a certificate that is swapped under 100 open sockets', () => {
  it('S69: is served to the next handshake, and none of the 100 drops', async () => {
    const endpoints = await Promise.all(
      Array.from({ length: 100 }, () => TestEndpoint.open(place)),
    );
    await Promise.all(
      endpoints.slice(0, 8).map((endpoint, i) => endpoint.login(anAccount(10 + 5 * i))),
    );
    const before = await served();
    const leaf = folder.authority.leaf('spiffe://public', HOST);
    await folder.writeLeaf('tls', leaf);
    const next = serialIn(leaf.certificate);
    for (let tries = 0; (await served()) !== next && tries < 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await served()).toBe(next);
    expect(next).not.toBe(before);
    expect(endpoints.filter(({ isClosed }) => isClosed)).toEqual([]);
    expect(await endpoints[0]?.request('session.list')).toMatchObject({ type: 'answer', body: {} });
    for (const endpoint of endpoints) endpoint.cut();
  });

  it.each([
    [
      'the key of another',
      () => ({ ...leaf(), key: leaf().key }),
      /is not the key of the certificate/,
    ],
    ['no key', () => ({ ...leaf(), key: 'nonsense' }), /holds no PEM private key/],
    ['no certificate', () => ({ ...leaf(), certificate: 'nonsense' }), /holds no PEM certificate/],
    [
      'a certificate of somebody else in its chain',
      strangersChain,
      /is no chain: certificate 2 did not issue/,
    ],
    [
      'one that has ended',
      () => folder.authority.leaf('spiffe://public', HOST, -1_000),
      /ended at/,
    ],
    ['one of another name', () => otherName(), /names none of localhost/],
  ])(
    'S69: stays when the new one has %s, and the log, the metric and /readyz say so',
    async (_, make, problem) => {
      const before = await served();
      const failures = (await loads('failure')) ?? 0;
      await folder.writeLeaf('tls', make());
      const body = await gateway.answers(200, problem);
      expect(body).toMatch(/^ready\npublic-tls: kept what was there before, because /);
      expect(await served()).toBe(before);
      expect(await loads('failure')).toBeGreaterThan(failures);
      await until('the log says so', () => problem.test(gateway.stderr));
      expect(gateway.stderr).not.toContain('PRIVATE KEY');
      await folder.writeLeaf('tls', leaf());
      await gateway.answers(200, /^ready\n?$/);
    },
  );

  it('S176: stays when everybody may read the key of the new one', async () => {
    const before = await served();
    await folder.writeLeaf('tls', leaf(), 0o444);
    expect(await gateway.answers(200, /public-tls/)).toContain('has mode 0444');
    expect(await served()).toBe(before);
  });
});

const leaf = () => folder.authority.leaf('spiffe://public', HOST);
function strangersChain() {
  const { certificate, key } = leaf();
  return { certificate: `${certificate}${new TestAuthority('other').certificate}`, key };
}
const otherName = () => {
  const other = new TestAuthority('edge').leaf('spiffe://public', 'evil.example');
  return other;
};

describe('a gateway at its start', () => {
  it('S176: stops if others may read the key of a listener, and says what to do', async () => {
    const open = await GatewayFolder.make();
    await open.writeLeaf('internal-tls', open.authority.leaf(GATEWAY_IDENTITY, HOST), 0o644);
    const stopped = GatewayProcess.run(open);
    expect(await stopped.ended).toBe(78);
    expect(stopped.stderr).toContain('has mode 0644: others than its owner and group may use it');
    expect(stopped.stderr).toContain('Give it mode 0440 or 0400');
    await open.remove();
  });

  it('is not ready without certificates, says why, and is when they come', async () => {
    const bare = await GatewayFolder.make();
    await bare.mount('tls', { 'tls.crt': '', 'tls.key': '' });
    const started = GatewayProcess.run(bare);
    await started.answers(503, /^not ready\n.*tls\.key holds no PEM private key/);
    await bare.writeLeaf('tls', bare.authority.leaf('spiffe://public', HOST));
    await started.answers(200, /^ready/);
    await started.kill();
    await bare.remove();
  });

  it('S72: listens on the addresses of its settings and on no other', async () => {
    const bound = await GatewayFolder.make((settings) => ({
      ...settings,
      listeners: {
        ...settings.listeners,
        public: { ...settings.listeners.public, addresses: ['127.0.0.2', '127.0.0.3'] },
      },
    }));
    const started = await GatewayProcess.ready(bound);
    const at = (address: string) =>
      tlsTo({ port: started.port, ca: bound.authority.certificate, address });
    for (const address of ['127.0.0.2', '127.0.0.3']) (await at(address)).destroy();
    await expect(at('127.0.0.1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await started.kill();
    await bound.remove();
  });
});
