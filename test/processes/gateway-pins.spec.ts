import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import { rotateColumnKeys } from '../../src/gateway/storage/column-keys.file.js';
import { ClientBed } from './client-bed.js';
import { GatewayProcess, HOST } from './gateway-process.js';
import type { TestLeaf } from './relay-shell-bed.js';
import { pause } from './relay-udp-endpoint.js';

const BED_MS = 120_000;

let bed: ClientBed;
beforeAll(async () => {
  bed = await ClientBed.start(0);
}, BED_MS);
afterAll(() => bed.stop(), BED_MS);

/** Waits for what metrics say. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let at = 0; at < 200; at += 1) {
    if (await holds()) return;
    await pause(50);
  }
  throw new Error('that did not come about within 10 s');
}

const aLeaf = (): TestLeaf => bed.gatewayFolder.authority.leaf('spiffe://public', HOST);
const pinOf = ({ certificate }: TestLeaf): string =>
  pinOfCertificate(new X509Certificate(certificate));

/** Mounts what the operator's Secret holds, and starts the gateway anew with it. */
async function serve({ certificate, key }: TestLeaf, next: TestLeaf): Promise<void> {
  const files = { 'tls.crt': certificate, 'tls.key': key, 'next.pin': `${pinOf(next)}\n` };
  await bed.gateway.kill();
  await bed.gatewayFolder.mount('tls', files);
  bed.gateway = await GatewayProcess.ready(bed.gatewayFolder);
}

describe('an endpoint that was given the pin of one key', () => {
  it(
    'T49: follows its gateway to the next key and the one after, and to no key that nobody announced',
    async () => {
      const [first, second, third, stranger] = [aLeaf(), aLeaf(), aLeaf(), aLeaf()];
      await serve(first, second);
      const { client, heard } = await bed.person('alice', {
        gateways: [{ url: bed.url, pins: [pinOf(first)] }],
      });
      await client.connect();
      await heard.heard('pins', (_, outcome) => outcome === 'taken');
      await serve(second, third);
      await heard.heard('pins', () => heard.all('pins').length > 1);
      expect(heard.all('pins').map(([, outcome]) => outcome)).toEqual(['taken', 'taken']);
      await serve(third, stranger);
      await heard.heard('pins', () => heard.all('pins').length > 2);
      await serve(aLeaf(), stranger);
      await heard.heard('away', (_, why) => why === 'leaf-not-pinned');
    },
    BED_MS,
  );

  it(
    'learns nothing where the certificate is somebody else’s and brings no authority',
    async () => {
      const { certificate, key } = aLeaf();
      await bed.gateway.kill();
      await bed.gatewayFolder.mount('tls', { 'tls.crt': certificate, 'tls.key': key });
      bed.gateway = await GatewayProcess.ready(bed.gatewayFolder);
      const { client, heard } = await bed.person('bob');
      await client.connect();
      expect(heard.all('pins')).toEqual([]);
      expect(await bed.gateway.metric('sallyport_gateway_pin_updates_total{outcome="sent"}')).toBe(
        0,
      );
    },
    BED_MS,
  );
});

describe('a gateway that runs', () => {
  it('counts each reading of its rooms’ files, and puts it on record', async () => {
    const series = (file: string, outcome: string) =>
      `sallyport_gateway_file_loads_total{file="${file}",outcome="${outcome}"}`;
    for (const file of ['lease-keys', 'relays', 'policy', 'column-keys'])
      expect(await bed.gateway.metric(series(file, 'success'))).toBeGreaterThanOrEqual(1);
    expect(bed.gateway.stdout).toContain('"action":"lease-keys.load","outcome":"success"');
    const before = await readFile(join(bed.gatewayFolder.path, 'relays/relays.json'), 'utf8');
    const ca = bed.gatewayFolder.authority.certificate;
    await bed.gatewayFolder.mount('relays', { 'edge.crt': ca, 'relays.json': '{}' });
    await bed.gateway.said('"file":"relays"');
    expect(await bed.gateway.metric(series('relays', 'failure'))).toBeGreaterThanOrEqual(1);
    await bed.gatewayFolder.mount('relays', { 'edge.crt': ca, 'relays.json': before });
  });

  it('takes up a column key that was put before the others', async () => {
    const series = 'sallyport_gateway_file_loads_total{file="column-keys",outcome="success"}';
    const before = (await bed.gateway.metric(series)) ?? 0;
    const file = join(bed.gatewayFolder.path, 'data/column-keys.json');
    await rotateColumnKeys(file, (bytes) => randomBytes(bytes));
    await eventually(async () => (await bed.gateway.metric(series)) === before + 1);
  });

  it('begins every kind of anomaly, every reason of the database and both outcomes of sealing at 0', async () => {
    const { body } = await bed.gateway.page('/metrics');
    const zeros = (name: string) =>
      body.split('\n').filter((line) => line.startsWith(`${name}{`) && line.endsWith(' 0')).length;
    expect(zeros('sallyport_network_anomalies_total')).toBe(11);
    expect(zeros('sallyport_gateway_storage_unavailable_total')).toBe(5);
    expect(zeros('sallyport_encryption_operations_total')).toBe(2);
  });
});
