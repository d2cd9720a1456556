import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chartFolder } from '../chart/helm.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { HelmOnServer, RELEASE_NAMESPACE } from './chart-bed.js';

const DEPLOYMENT = `/apis/apps/v1/namespaces/${RELEASE_NAMESPACE}/deployments/sallyport-operator`;
const CHART = chartFolder('sallyport');
const VALUES = { image: { digest: `sha256:${'0'.repeat(64)}` } };

let server: TestApiServer;
let helm: HelmOnServer;

beforeAll(async () => {
  server = await startApiServer();
  await server.createNamespace(RELEASE_NAMESPACE);
  helm = await HelmOnServer.of(server);
});
afterAll(() => server.stop());

const replicas = async (): Promise<unknown> =>
  ((await server.admin.get(DEPLOYMENT)) as { spec?: { replicas?: number } } | undefined)?.spec
    ?.replicas;

/** How far into a run it is killed, as a part of how long it takes undisturbed. */
const MOMENTS = [0.2, 0.4, 0.6, 0.8, 0.95];

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe('helm, killed at any moment', () => {
  it('finishes an install after helm uninstall', async () => {
    const wholeMs = await timed(() => helm.must(['install', 'sallyport', CHART], VALUES));
    let interrupted = 0;
    for (const moment of MOMENTS) {
      helm.must(['uninstall', 'sallyport', '--ignore-not-found']);
      const args = ['install', 'sallyport', CHART];
      if (await helm.killed(args, VALUES, wholeMs * moment)) interrupted++;
      helm.must(['uninstall', 'sallyport', '--ignore-not-found']);
      helm.must(['install', 'sallyport', CHART], VALUES);
      expect(await replicas()).toBe(2);
    }
    expect(interrupted).toBeGreaterThan(0);
  }, 120_000);

  it('finishes an upgrade after helm rollback', async () => {
    const values = (count: number) => ({ ...VALUES, replicas: count });
    const wholeMs = await timed(() => helm.must(['upgrade', 'sallyport', CHART], values(3)));
    let interrupted = 0;
    for (const [index, moment] of MOMENTS.entries()) {
      const wanted = 2 + (index % 2);
      if (await helm.killed(['upgrade', 'sallyport', CHART], values(wanted), wholeMs * moment))
        interrupted++;
      const { code, stderr } = helm.run(['upgrade', 'sallyport', CHART], values(wanted));
      if (code !== 0) {
        expect(stderr).toContain('another operation');
        helm.must(['rollback', 'sallyport']);
        helm.must(['upgrade', 'sallyport', CHART], values(wanted));
      }
      expect(await replicas()).toBe(wanted);
    }
    expect(interrupted).toBeGreaterThan(0);
  }, 120_000);
});
