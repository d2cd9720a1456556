import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chartFolder } from '../chart/helm.js';
import { podsIn } from '../hardening/pods.js';
import type { AnyObject, Answer, Json } from './bed/admin.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { earlierChart, HelmOnServer, OPERATOR_ACCOUNT, RELEASE_NAMESPACE } from './chart-bed.js';
import { OperatorProgram } from './program-process.js';
import { applySamples, exists, installOptionalKinds, observed, pathIn } from './rbac-scenario.js';
import { callsIn, PERMISSIONS, refusals } from './rbac-usage.js';

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/relaypools.sallyport.dev';
const DEPLOYMENT = `/apis/apps/v1/namespaces/${RELEASE_NAMESPACE}/deployments/sallyport-operator`;
const SETTINGS = `/api/v1/namespaces/${RELEASE_NAMESPACE}/configmaps/sallyport-operator-settings`;
const VALUES = {
  cluster: { serviceCIDRs: ['10.96.0.0/12'], podCIDRs: ['10.244.0.0/16'] },
  image: { digest: `sha256:${'0'.repeat(64)}` },
};

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

let server: TestApiServer;
let helm: HelmOnServer;
let operator: OperatorProgram | undefined;

beforeAll(async () => {
  server = await startApiServer({
    controllerManager: true,
    controllers: ['clusterrole-aggregation-controller', 'serviceaccount-controller'],
    users: { [OPERATOR_ACCOUNT]: ['system:serviceaccounts', 'system:authenticated'] },
  });
  await installOptionalKinds(server);
  await server.createNamespace(RELEASE_NAMESPACE, {
    'pod-security.kubernetes.io/enforce': 'restricted',
  });
  await server.createNamespace('office');
  helm = await HelmOnServer.of(server);
});
afterAll(async () => {
  await operator?.end('SIGTERM');
  await server.stop();
});

const shortNames = async (): Promise<Json> => (await server.admin.get(CRD)).spec.names.shortNames;

describe('chart sallyport on a real API server', () => {
  it('installs, and upgrades CRDs by a plain helm upgrade', async () => {
    helm.must(['install', 'sallyport', await earlierChart(server)], VALUES);
    expect(await shortNames()).toEqual(['oldpool']);
    helm.must(['upgrade', 'sallyport', chartFolder('sallyport')], VALUES);
    expect(await shortNames()).toEqual(['rp']);
  });

  it('S178: makes pods that a namespace of the restricted profile admits', async () => {
    const [pod] = podsIn([await server.admin.get(DEPLOYMENT)]);
    const path = `/api/v1/namespaces/${RELEASE_NAMESPACE}/pods?dryRun=All`;
    const answer = await server.request('POST', path, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'judged', labels: pod!.labels },
      spec: pod!.spec,
    });
    expect([answer.status, answer.body?.message]).toEqual([201, undefined]);
  });

  it('S189: grants the operator what it needs, with the settings that it mounts', async () => {
    const { data } = (await server.admin.get(SETTINGS)) as { data: Record<string, string> };
    const settings = {
      ...(JSON.parse(data['settings.json']!) as object),
      health: { address: '127.0.0.1', port: 0 },
    };
    operator = await OperatorProgram.start(server, { settings, user: OPERATOR_ACCOUNT });
    await operator.leads();
    await applySamples(server, 'office', 'pool-clusterip', 'gateway-embedded', 'role-admin');
    await applySamples(server, 'office', 'retention-six-years');
    await observed(server, pathIn('office', 'relaypools', 'inside'));
    await observed(server, pathIn('office', 'signalinggateways', 'small'));
    await exists(server, '/apis/apps/v1/namespaces/office/statefulsets/inside-relay');
    await exists(server, '/apis/apps/v1/namespaces/office/statefulsets/small-gateway');
    const calls = callsIn(await server.auditEntries(), OPERATOR_ACCOUNT);
    expect(calls.length).toBeGreaterThan(30);
    expect(refusals(calls, PERMISSIONS)).toEqual([]);
  });

  it.each([
    ['view', 'get', ['accessroles', 'relaypools', 'retentionpolicies', 'signalinggateways']],
    ['edit', 'create', ['relaypools', 'signalinggateways']],
    ['admin', 'delete', ['accessroles', 'relaypools', 'retentionpolicies', 'signalinggateways']],
  ])('lets people with the role %s %s %j', async (role, verb, resources) => {
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role}`;
    const allowed = async (): Promise<string[]> => {
      const { rules } = (await server.admin.get(path)) as {
        readonly rules: readonly Rule[] | null;
      };
      const ours = (rules ?? []).filter(
        ({ apiGroups, verbs }) => apiGroups?.includes('sallyport.dev') && verbs.includes(verb),
      );
      return [...new Set(ours.flatMap((rule) => rule.resources ?? []))].sort();
    };
    await eventually(`${role} has its rules`, async () => {
      return JSON.stringify(await allowed()) === JSON.stringify(resources);
    });
  });

  it('writes nothing of its own into the objects that helm compares', async () => {
    const again = helm.must(['upgrade', 'sallyport', chartFolder('sallyport')], VALUES);
    expect(again).toContain('STATUS: deployed');
    const { metadata } = (await server.admin.get(DEPLOYMENT)) as AnyObject;
    expect(metadata['generation']).toBe(1);
  });
});

describe('the policy of chart sallyport-cluster', () => {
  it('refuses a CRD of an older revision, and says what to do', async () => {
    const older = (): Promise<Answer> => server.request('PATCH', CRD, annotated('0'), MERGE);
    const refused = await eventually('the policy is in force', async () => {
      const answer = await older();
      return answer.status === 422 || answer.status === 403 ? answer : undefined;
    });
    expect(refused.body.message).toContain(
      'Schema revision 0 of relaypools.sallyport.dev is older',
    );
    expect(refused.body.message).toContain('Keep the newer CRD');
    expect((await server.request('PATCH', CRD, annotated('1'), MERGE)).status).toBe(200);
  });

  it('refuses a helm rollback to an older CRD, after which an upgrade goes through', async () => {
    const { code, stderr } = helm.run(['rollback', 'sallyport', '1']);
    expect(code).toBe(1);
    expect(stderr).toContain('Schema revision 0 of relaypools.sallyport.dev is older');
    expect(await shortNames()).toEqual(['rp']);
    helm.must(['upgrade', 'sallyport', chartFolder('sallyport')], VALUES);
  });

  it('lets an administrator insist', async () => {
    const forced = annotated('0', { 'sallyport.dev/allow-downgrade': 'true' });
    expect((await server.request('PATCH', CRD, forced, MERGE)).status).toBe(200);
    const back = annotated('1', { 'sallyport.dev/allow-downgrade': null });
    expect((await server.request('PATCH', CRD, back, MERGE)).status).toBe(200);
  });
});

const MERGE = { contentType: 'application/merge-patch+json' };
const annotated = (revision: string, more: object = {}): object => ({
  metadata: { annotations: { 'sallyport.dev/schema-revision': revision, ...more } },
});

describe('an uninstalled release', () => {
  it('keeps CRDs and resources, and takes the rest with it', async () => {
    expect(helm.must(['uninstall', 'sallyport'])).toContain('kept due to the resource policy');
    expect(await server.admin.get(DEPLOYMENT)).toBeUndefined();
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/sallyport-operator';
    expect(await server.admin.get(role)).toBeUndefined();
    expect(await shortNames()).toEqual(['rp']);
    expect(await server.admin.get(pathIn('office', 'relaypools', 'inside'))).toBeDefined();
  });

  it('can be installed again over what it left', async () => {
    helm.must(['install', 'sallyport', chartFolder('sallyport')], VALUES);
    expect(await server.admin.get(DEPLOYMENT)).toBeDefined();
  });
});
