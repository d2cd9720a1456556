import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chartFolder, helm, killedHelm, type HelmRun } from '../chart/helm.js';
import type { TestApiServer } from './bed/api-server.js';

/** Namespace of releases in these tests. */
export const RELEASE_NAMESPACE = 'sallyport-system';
/** The user that the API server takes the operator's pods for. */
export const OPERATOR_ACCOUNT = `system:serviceaccount:${RELEASE_NAMESPACE}:sallyport-operator`;

/** Helm on a test server, as the user who may do everything. */
export class HelmOnServer {
  private constructor(private readonly kubeconfig: string) {}

  static async of(server: TestApiServer): Promise<HelmOnServer> {
    return new HelmOnServer(await server.adminKubeconfig());
  }

  /** Runs helm in the namespace of releases; whatever it ends with. */
  run(args: readonly string[], values?: object): HelmRun {
    const all = [...args, '--namespace', RELEASE_NAMESPACE];
    return helm(all, { kubeconfig: this.kubeconfig, ...(values && { values }) });
  }

  /** Runs helm and kills it after `ms`; resolves with whether it was still running. */
  killed(args: readonly string[], values: object, ms: number): Promise<boolean> {
    const all = [...args, '--namespace', RELEASE_NAMESPACE];
    return killedHelm(all, { kubeconfig: this.kubeconfig, values }, ms);
  }

  /** Runs helm, which must succeed. @throws Error with what it says */
  must(args: readonly string[], values?: object): string {
    const { code, stdout, stderr } = this.run(args, values);
    if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
}

/** A copy of chart sallyport as an earlier release would have been: its CRD of RelayPools is another, of revision 0. */
export async function earlierChart(server: TestApiServer): Promise<string> {
  const folder = join(await mkdtemp(join(server.folder, 'chart-')), 'sallyport');
  await cp(chartFolder('sallyport'), folder, { recursive: true });
  const file = join(folder, 'charts/sallyport-cluster/templates/crds/relay-pools.yaml');
  const now = await readFile(file, 'utf8');
  const before = now
    .replace('"sallyport.dev/schema-revision" "1"', '"sallyport.dev/schema-revision" "0"')
    .replace('Schema revision 1.', 'Schema revision 0.')
    .replace('shortNames: [rp]', 'shortNames: [oldpool]');
  await writeFile(file, before);
  return folder;
}
