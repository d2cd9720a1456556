import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from '../apiserver/bed/api-server.js';
import { GatewayFolder } from '../processes/gateway-process.js';
import { freePort } from '../free-ports.js';
import {
  POD,
  POOL_IDENTITY,
  RelayFolder,
  TestAuthority,
  directoryGateway,
} from '../processes/relay-shell-bed.js';
import { TestGateway } from '../processes/relay-udp-bed.js';
import { Archive, ROOT, copyOfCheckout, makeImage, openFolder } from './bed.js';
import { writeRoot } from './bed.js';
import { Container } from './container.js';

const BUILD_MS = 240_000;
const START_MS = 90_000;
const STARTS = 3;
const VERSION = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
).version;

let folder: string;
let root: string;
let server: TestApiServer;
const running = new Set<Container>();

beforeAll(async () => {
  folder = openFolder();
  const made = makeImage(copyOfCheckout(folder));
  expect([made.status, made.output]).toEqual([0, expect.any(String)]);
  root = join(folder, 'root');
  mkdirSync(root);
  writeRoot(new Archive(join(made.folder, `sallyport-${VERSION}.oci.tar`)).unpack('amd64'), root);
  server = await startApiServer({ crds: true });
}, BUILD_MS);
afterEach(async () => {
  for (const container of running) await container.end();
  running.clear();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const program = (name: string) => `/sallyport/dist/bin/${name}.js`;

function start(
  ...[argv, how]: [readonly string[], Parameters<typeof Container.start>[2]?]
): Container {
  const container = Container.start(root, ['/usr/bin/node', ...argv], how);
  running.add(container);
  return container;
}

/** The best of some starts, as a busy machine makes single ones slow; prints all. */
async function best(name: string, url: string, begin: () => Container): Promise<number> {
  const seconds: number[] = [];
  for (let run = 0; run < STARTS; run++) {
    const container = begin();
    const wall = await container.ready(url);
    seconds.push(Math.min(wall, container.cpuSeconds()));
    process.stdout.write(
      `${name} in the image: ready after ${wall.toFixed(2)} s, ${container.cpuSeconds().toFixed(2)} s of processor time, ${container.rssMb().toFixed(0)} MB\n`,
    );
    await container.end();
  }
  return Math.min(...seconds);
}

describe('the programs inside the image', () => {
  it.each(['operator', 'gateway', 'relay', 'sallyport'])(
    '%s starts and knows its version',
    async (name) => {
      const container = start([program(name), '--version']);
      expect([await container.ended, container.output]).toEqual([0, `${VERSION}\n`]);
    },
    START_MS,
  );

  it(
    'the gateway is ready within 0.7 s, as a user without rights on a root that it cannot write',
    async () => {
      const gateway = await GatewayFolder.make();
      const { port } = gateway.settings.listeners.health;
      const url = `http://127.0.0.1:${port}/readyz`;
      const argv = [
        program('gateway'),
        '--settings',
        gateway.settingsPath,
        '--pod',
        'main-gateway-0',
      ];
      const begin = () => start(argv, { folders: [gateway.path] });
      expect(await best('gateway', url, begin)).toBeLessThanOrEqual(0.7);
      const container = begin();
      await container.ready(url);
      expect(container.status('Uid')).toBe('65532\t65532\t65532\t65532');
      expect(container.status('CapEff')).toBe('0000000000000000');
      expect(container.output).toContain('sodium');
      await container.end();
      await gateway.remove();
    },
    START_MS,
  );

  it(
    'the relay is ready within 0.7 s and finds its threads and the kernel through koffi',
    async () => {
      const relay = await RelayFolder.make();
      await relay.writeSettings();
      await relay.writeDirectory([directoryGateway('edge/main', [new TestGateway().key()])]);
      await relay.writeLeaf(new TestAuthority().leaf(POOL_IDENTITY));
      const settings = JSON.parse(readFileSync(relay.settingsPath, 'utf8')) as {
        readonly listeners: { readonly health: { readonly port: number } };
      };
      const health = `http://127.0.0.1:${settings.listeners.health.port}`;
      const argv = [program('relay'), '--settings', relay.settingsPath, '--pod', POD];
      const begin = () => start(argv, { folders: [relay.path] });
      expect(await best('relay', `${health}/readyz`, begin)).toBeLessThanOrEqual(0.7);
      const container = begin();
      await container.ready(`${health}/readyz`);
      const metrics = await (await fetch(`${health}/metrics`)).text();
      expect(metrics).toContain('sallyport_relay_socket_info{socket="koffi",reason=""} 1');
      await container.end();
      await relay.remove();
    },
    START_MS,
  );

  it(
    'the operator is ready within 1.5 s at a real API server',
    async () => {
      const own = openFolder();
      const port = await freePort();
      const kubeconfig = join(own, 'kubeconfig');
      writeFileSync(kubeconfig, readFileSync(await server.kubeconfigOf('admin')));
      const settings = join(own, 'settings.json');
      writeFileSync(settings, JSON.stringify(operatorSettings(port)));
      const flags = ['--max-semi-space-size=8', '--max-old-space-size=256'];
      const argv = [...flags, program('operator'), '--settings', settings];
      const env = { KUBECONFIG: kubeconfig, MALLOC_ARENA_MAX: '1' };
      const begin = () => start(argv, { folders: [own], env });
      expect(await best('operator', `http://127.0.0.1:${port}/readyz`, begin)).toBeLessThanOrEqual(
        1.5,
      );
      rmSync(own, { recursive: true });
    },
    START_MS,
  );

  it(
    'cannot be left for a shell: there is none, and nothing in the root can be written',
    async () => {
      const script = `
      const { spawnSync } = require('node:child_process'), { writeFileSync } = require('node:fs');
      const codes = ['/bin/sh', 'bash', 'npm'].map((name) => spawnSync(name).error?.code);
      for (const path of ['/x', '/sallyport/dist/bin/relay.js', '/etc/nsswitch.conf'])
        try { writeFileSync(path, 'x'); codes.push('written'); } catch (error) { codes.push(error.code); }
      console.log(codes.join(' '));`;
      const container = start(['-e', script]);
      await container.ended;
      expect(container.output).toBe('ENOENT ENOENT ENOENT EROFS EROFS EROFS\n');
    },
    START_MS,
  );

  it(
    'loads libsodium and the Kubernetes client, which are no part of the bundles',
    async () => {
      const script = `
      process.chdir('/sallyport');
      const sodium = require('/sallyport/node_modules/sodium-native');
      import('/sallyport/node_modules/@kubernetes/client-node/dist/index.js').then(({ KubeConfig }) =>
        console.log(sodium.crypto_sign_BYTES, typeof new KubeConfig().loadFromString));`;
      const container = start(['-e', script]);
      await container.ended;
      expect(container.output).toBe('64 function\n');
    },
    START_MS,
  );
});

const operatorSettings = (port: number) => ({
  version: 1,
  installId: 'test',
  namespace: 'default',
  leaderElection: { enabled: false },
  renders: [{ version: 1, image: { repository: 'registry.example.com/sallyport', tag: VERSION } }],
  health: { address: '127.0.0.1', port },
});
