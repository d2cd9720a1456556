/*
 * A bundle on its way into a cluster: made by `npm run bundle`, loaded by the command line as a process, installed by the
 * real helm at a real API server. Nodes are missing: a stand-in for the kubelet says whether pods got ready.
 */
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from '../apiserver/bed/api-server.js';
import { findHelm } from '../testbed/build.js';
import { ROOT, openFolder } from './bed.js';

const NAMESPACE = 'sallyport-system';
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/sallyport-operator`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const START_MS = 120_000;
const TEST_MS = 240_000;
/** For helm: longer than two pods take to get ready one after the other. */
const PATIENT_SECONDS = 100;
/** For helm where no pod gets ready. */
const IMPATIENT_SECONDS = 15;

let folder: string;
let server: TestApiServer;
let kubeconfig: string;
let areNodesThere = true;
let kubelet: NodeJS.Timeout;

beforeAll(async () => {
  folder = openFolder();
  const key = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'key'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  chmodSync(join(folder, 'key'), 0o600);
  writeFileSync(join(folder, 'pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  const values = { cluster: { serviceCIDRs: ['10.96.0.0/12'], podCIDRs: ['10.244.0.0/16'] } };
  writeFileSync(join(folder, 'values.yaml'), JSON.stringify(values));
  server = await startApiServer({
    controllerManager: true,
    controllers: [
      'deployment-controller',
      'replicaset-controller',
      'serviceaccount-controller',
      'clusterrole-aggregation-controller',
      'garbage-collector-controller',
    ],
  });
  kubeconfig = await server.adminKubeconfig();
  kubelet = setInterval(() => void readyPods().catch(() => undefined), 500);
}, START_MS);
afterAll(async () => {
  clearInterval(kubelet);
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** What a kubelet reports of pods that run, as long as there are nodes. */
async function readyPods(): Promise<void> {
  if (!areNodesThere) return;
  const { items } = (await server.admin.call('GET', PODS)) as {
    readonly items: readonly {
      readonly metadata: { readonly name: string };
      readonly status: { readonly phase?: string };
    }[];
  };
  // Once each: a pod counts when it has been ready for a while.
  const waiting = items.filter(({ status }) => status.phase !== 'Running');
  const condition = { type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() };
  for (const { metadata } of waiting) {
    const status = { phase: 'Running', conditions: [condition] };
    const contentType = 'application/merge-patch+json';
    await server.admin.call(
      'PATCH',
      `${PODS}/${metadata.name}/status`,
      { status },
      { contentType },
    );
  }
}

const digestOf = (version: string) => `sha256:${version.replaceAll('.', '').padEnd(64, 'a')}`;

/** A bundle with our charts and, in the place of an image, a file that nobody runs here. */
function aBundle(version: string): string {
  const image = join(folder, `image-${version}`);
  mkdirSync(image);
  writeFileSync(join(image, `sallyport-${version}.oci.tar`), version);
  const name = `registry.example.com/sallyport:${version}`;
  const summary = { name, version, digest: digestOf(version) };
  writeFileSync(join(image, 'image.json'), JSON.stringify(summary));
  const output = join(folder, `${version}.bundle.tar`);
  const words = ['--key', join(folder, 'key'), '--image', image, '--output', output];
  execFileSync('tsx', ['config/tooling/air-gap.ts', ...words], { cwd: ROOT, env: environment() });
  return output;
}

const environment = () => ({
  PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  HOME: folder,
  KUBECONFIG: kubeconfig,
});

/** `sallyport bundle ...`; gives its exit code and all that it wrote. */
async function bundle(...words: string[]): Promise<readonly [number | null, string]> {
  const common = [
    '--to',
    join(folder, 'releases'),
    '--release',
    'sallyport',
    '--namespace',
    NAMESPACE,
  ];
  const all = ['src/bin/sallyport.ts', 'bundle', ...words, ...common, '--helm', findHelm()!];
  const seconds = areNodesThere ? PATIENT_SECONDS : IMPATIENT_SECONDS;
  const child = spawn('tsx', [...all, '--timeout', `${seconds}`], {
    cwd: ROOT,
    env: environment(),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return [code, output];
}

const load = (file: string) =>
  bundle('load', file, '--key', join(folder, 'pub'), '--values', join(folder, 'values.yaml'));
const current = () => readlinkSync(join(folder, 'releases/current'));
async function image(): Promise<string> {
  const { spec } = (await server.admin.get(DEPLOYMENT)) as {
    readonly spec: {
      readonly template: {
        readonly spec: { readonly containers: readonly [{ readonly image: string }] };
      };
    };
  };
  return spec.template.spec.containers[0].image;
}
const imageOf = (version: string) =>
  `registry.example.com/sallyport:${version}@${digestOf(version)}`;

describe('a bundle that is loaded with --release', () => {
  it(
    'S81, T52: is installed by its signed digest, taken back when it does not get ready, and rolled back',
    async () => {
      expect(await load(aBundle('0.1.0'))).toEqual([0, expect.stringContaining('0.1.0 is in')]);
      expect([current(), await image()]).toEqual(['versions/0.1.0', imageOf('0.1.0')]);

      areNodesThere = false;
      const newer = aBundle('0.2.0');
      expect(await load(newer)).toEqual([1, expect.stringContaining('helm failed')]);
      expect([current(), await image()]).toEqual(['versions/0.1.0', imageOf('0.1.0')]);

      // The same command finishes it once the cause is gone.
      areNodesThere = true;
      expect(await load(newer)).toEqual([0, expect.stringContaining('0.2.0 is in')]);
      expect([current(), await image()]).toEqual(['versions/0.2.0', imageOf('0.2.0')]);

      expect(await load(join(folder, '0.1.0.bundle.tar'))).toEqual([
        78,
        expect.stringContaining('older-version'),
      ]);
      expect(await bundle('rollback')).toEqual([0, expect.stringContaining('0.1.0 is current')]);
      expect([current(), await image()]).toEqual(['versions/0.1.0', imageOf('0.1.0')]);
    },
    TEST_MS,
  );
});
