import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { bundle } from '../../config/tooling/bundler.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
  TestAuthority,
} from './relay-shell-bed.js';
import { aSession, TestGateway } from './relay-udp-bed.js';
import { Endpoint } from './relay-udp-endpoint.js';
import { TlsEndpoint } from './relay-tls-endpoint.js';

const ROOT = join(import.meta.dirname, '../..');
/** Two folders below the root, as dist/bundle is. */
const OUT = join(ROOT, 'dist', `bundle-of-test-${process.pid}`);
const PROVED = 0x25;

/** What the packet worker takes from Node; no cipher, no TLS, no file but /proc. */
const ALLOWED = [
  'node:crypto',
  'node:dgram',
  'node:events',
  'node:fs',
  'node:module',
  'node:util',
  'node:worker_threads',
];
/** What it takes from node:crypto (architecture, 5). */
const ALLOWED_CRYPTO = [
  'createHmac',
  'createPublicKey',
  'hash',
  'randomBytes',
  'timingSafeEqual',
  'verify',
];

let metafile: Metafile;
beforeAll(async () => {
  metafile = await bundle(
    {
      relay: join(ROOT, 'src/bin/relay.ts'),
      'packet.worker': join(ROOT, 'src/relay/packet/packet.worker.ts'),
      'fallback.worker': join(ROOT, 'src/relay/shell/fallback.worker.ts'),
    },
    OUT,
  );
});
afterAll(() => rm(OUT, { recursive: true }));

describe('the bundle of the packet worker', () => {
  const output = () =>
    Object.entries(metafile.outputs).find(([name]) => name.endsWith('packet.worker.js'))![1];

  it('S2, S13: holds no back end of cryptography, no session, no envelope and no handshake', () => {
    const inputs = Object.keys(output().inputs);
    expect(inputs.some((name) => name.endsWith('src/relay/packet/forwarding.ts'))).toBe(true);
    const opening =
      /src\/crypto\/|src\/protocol\/(session|envelope|noise|channels|identity)\/|crypto-backend|node_modules\/(@noble|@scure|sodium|ws)\b/;
    expect(inputs.filter((name) => opening.test(name))).toEqual([]);
  });

  it('S13: takes nothing from Node but what it needs, and nothing that seals, opens or ends TLS', () => {
    const imports = output().imports.map(({ path }) => path);
    expect(imports.filter((path) => isBuiltin(path) && !ALLOWED.includes(path))).toEqual([]);
    const text = readFileSync(join(OUT, 'packet.worker.js'), 'utf8');
    const names = [...text.matchAll(/import\s*\{([^}]*)\}\s*from\s*["']node:crypto["']/g)].flatMap(
      ([, list]) => list!.split(',').map((name) => name.trim().split(/\s+as\s+/)[0]!),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !ALLOWED_CRYPTO.includes(name))).toEqual([]);
    expect(text).not.toMatch(
      /createCipheriv|createDecipheriv|chacha20|diffieHellman|createPrivateKey/,
    );
  });
});

describe('a relay that runs from its bundle', () => {
  it('finds its threads and serves over UDP in batches and over TLS', async () => {
    const [authority, gateway] = [new TestAuthority(), new TestGateway()];
    const folder = await RelayFolder.make();
    await folder.writeSettings();
    await folder.writeDirectory([directoryGateway('edge/main', [gateway.key()])]);
    await folder.writeLeaf(authority.leaf(POOL_IDENTITY));
    const relay = await RelayProcess.run(folder, { program: [join(OUT, 'relay.js')] });
    try {
      await relay.answers(200, /^ready$/m);
      expect(await relay.metric('sallyport_relay_socket_info{socket="koffi",reason=""}')).toBe(1);
      const udp = await Endpoint.open(relay.port);
      const tls = await TlsEndpoint.open(relay.fallbackPort, authority.certificate);
      const sid = aSession();
      expect((await udp.prove(gateway.lease(sid, 'client')))[2]).toBe(PROVED);
      expect((await tls.prove(gateway.lease(sid, 'server')))[2]).toBe(PROVED);
      udp.close();
      tls.close();
    } finally {
      await relay.kill();
      await folder.remove();
    }
  });
});
