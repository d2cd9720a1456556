import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { RELAY_REGISTRY_PATH, RELAY_REGISTRY_PROTOCOL } from '../../src/messages/relay-registry.js';
import { spiffeId } from '../../src/operator/keys/leaf.js';
import { answerTo, statusOf, tlsTo, upgradeRequest } from './gateway-endpoint.js';
import { GatewayFolder, GatewayProcess, INSTALL } from './gateway-process.js';
import { TestAuthority, type TestLeaf } from './relay-shell-bed.js';

const POOL = spiffeId(INSTALL, 'edge', 'RelayPool', 'eu');
let folder: GatewayFolder;
let gateway: GatewayProcess;
const other = new TestAuthority('other');
beforeAll(async () => {
  folder = await GatewayFolder.make();
  await folder.writeRelays([], {
    'edge.crt': folder.authority.certificate,
    'other.crt': other.certificate,
  });
  gateway = await GatewayProcess.ready(folder);
});
afterAll(async () => {
  await gateway.kill();
  await folder.remove();
});

const place = () => ({ port: gateway.internalPort, ca: folder.authority.certificate });
const credentials = ({ certificate, key }: TestLeaf) => ({ cert: certificate, key });

/** The status of a request with a certificate; 0 when TLS or the server cut it. */
async function ask(leaf: TestLeaf | undefined, target = RELAY_REGISTRY_PATH): Promise<number> {
  const socket = await tlsTo(place(), leaf ? credentials(leaf) : {});
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const headers = { 'Sec-WebSocket-Protocol': RELAY_REGISTRY_PROTOCOL };
  socket.write(upgradeRequest(headers, target));
  await new Promise<void>((resolve) => {
    for (const event of ['close', 'data'])
      socket.once(event, () => {
        resolve();
      });
  });
  socket.destroy();
  return statusOf(text);
}

describe('the internal port', () => {
  it('S42: speaks to nobody without a certificate', async () => {
    expect(await ask(undefined)).toBe(0);
  });

  it('S42: speaks to nobody with a certificate of a stranger', async () => {
    expect(await ask(new TestAuthority('edge').leaf(POOL))).toBe(0);
  });

  it.each([
    ['of another namespace', () => other.leaf(POOL)],
    [
      'of no pool',
      () => folder.authority.leaf(spiffeId(INSTALL, 'edge', 'SignalingGateway', 'main')),
    ],
    [
      'of another installation',
      () => folder.authority.leaf(spiffeId('prod', 'edge', 'RelayPool', 'eu')),
    ],
    [
      'of a pool of another namespace',
      () => folder.authority.leaf(spiffeId(INSTALL, 'other', 'RelayPool', 'eu')),
    ],
  ])('S23, S42: lets nobody register with a certificate %s', async (_, leaf) => {
    const anomalies = 'sallyport_network_anomalies_total{kind="relay-identity"}';
    const before = (await gateway.metric(anomalies)) ?? NaN;
    expect(await ask(leaf())).toBe(403);
    expect(await gateway.metric(anomalies)).toBe(before + 1);
  });

  it('S23: lets a relay register, and forbids it everything else, whether it exists or not', async () => {
    const relay = folder.authority.leaf(POOL);
    expect(await ask(relay)).toBe(101);
    for (const target of [
      '/signaling',
      '/metrics',
      '/admin',
      '/relay-registry/',
      '/relay-registry?x=1',
      '/',
    ])
      expect(await ask(relay, target)).toBe(403);
  });

  it('S23: is not reached with the credential of a relay on the public port', async () => {
    const leaf = folder.authority.leaf(POOL);
    const socket = await tlsTo({ ...place(), port: gateway.port }, credentials(leaf));
    socket.write(
      upgradeRequest({ 'Sec-WebSocket-Protocol': RELAY_REGISTRY_PROTOCOL }, RELAY_REGISTRY_PATH),
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(statusOf(answer.toString())).toBe(404);
    socket.destroy();
  });

  it.each(['not json', '{"type":"register"}', '[]', '{"type":"drain","deadline":1}'])(
    'S23: ends the connection of a relay that says %s',
    async (message) => {
      const socket = new WebSocket(
        `wss://localhost:${gateway.internalPort}${RELAY_REGISTRY_PATH}`,
        RELAY_REGISTRY_PROTOCOL,
        {
          ...credentials(folder.authority.leaf(POOL)),
          ca: folder.authority.certificate,
          lookup: (_host, _options, found) => {
            found(null, [{ address: '127.0.0.1', family: 4 }]);
          },
        },
      );
      await once(socket, 'open');
      socket.send(message);
      const [code] = (await once(socket, 'close')) as [number];
      expect(code).toBe(4400);
    },
  );

  it('S23: is closed to a pool whose authority is taken away, and its open connection ends', async () => {
    const relay = folder.authority.leaf(POOL);
    const socket = await tlsTo(place(), credentials(relay));
    socket.write(
      upgradeRequest({ 'Sec-WebSocket-Protocol': RELAY_REGISTRY_PROTOCOL }, RELAY_REGISTRY_PATH),
    );
    await once(socket, 'data');
    await folder.writeRelays([], { 'other.crt': other.certificate });
    const [farewell] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [
      Buffer,
    ];
    expect(farewell.includes(Buffer.from([0x88]))).toBe(true);
    socket.destroy();
    expect(await ask(relay)).toBe(0);
  });
});

describe('the public port', () => {
  it('asks nobody for a certificate', async () => {
    expect(statusOf(await answerTo({ ...place(), port: gateway.port }, upgradeRequest()))).toBe(
      101,
    );
  });
});
