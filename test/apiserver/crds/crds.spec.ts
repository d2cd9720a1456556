import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { versionOf } from '../../../config/tooling/generate/schema.js';
import { accessRoles, relayPools, retentionPolicies, signalingGateways } from '../../arbitraries/kinds.js';
import { aRelayPool, aReplicatedGateway, aRetentionPolicy, aSignalingGateway, anAccessRole } from '../../builders.js';
import { ALL_CRDS, CRDS, crdOf } from '../../defaulting.js';
import { startApiServer } from '../bed/api-server.js';
import type { AnyObject, Answer, Json } from '../bed/admin.js';
import type { TestApiServer } from '../bed/api-server.js';

const CONFIG = fileURLToPath(new URL('../../../config', import.meta.url));
const KINDS = ALL_CRDS.map(({ crd }) => crd.spec.names.kind);

/** A resource as a user writes it: without what the API server adds. */
function written(resource: object, name?: string): AnyObject {
  const { apiVersion, kind, metadata, spec } = resource as AnyObject;
  return { apiVersion, kind, metadata: { name: name ?? metadata.name }, spec: spec as unknown };
}

const PLAIN: Readonly<Record<string, AnyObject>> = {
  SignalingGateway: written(aSignalingGateway()),
  RelayPool: written(aRelayPool()),
  AccessRole: written(anAccessRole()),
  RetentionPolicy: written(aRetentionPolicy()),
};

/** The same resources in each run; another seed looks further. */
const SEED = Number(process.env['CRD_SEED'] ?? 20_261_122);

describe('the CRDs on a real API server', () => {
  let server: TestApiServer;
  beforeAll(async () => {
    server = await startApiServer({ crds: true });
  });
  afterAll(() => server.stop());

  const collection = (kind: string): string =>
    `/apis/sallyport.dev/v1alpha1/namespaces/default/${crdOf(kind).spec.names.plural}`;
  const create = (resource: AnyObject, query = ''): Promise<Answer> =>
    server.request('POST', `${collection(resource.kind)}?fieldValidation=Strict${query}`, resource);
  const created = async (resource: AnyObject): Promise<Json> => {
    const answer = await create(resource);
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  };

  it.each(ALL_CRDS.map(({ file }) => file))('%s is below 64 KB and has no field that the server drops', async (file) => {
    expect(statSync(join(CRDS, file)).size).toBeLessThan(64 * 1024);
    const [crd] = loadAll(readFileSync(join(CRDS, file), 'utf8')) as [AnyObject];
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
    const query = '?fieldManager=strict&force=true&fieldValidation=Strict&dryRun=All';
    const contentType = 'application/apply-patch+yaml';
    const answer = await server.request('PATCH', path + query, crd, { contentType });
    expect(answer.status).toBe(200);
    expect(answer.headers['warning']).toBeUndefined();
  });

  it.each(KINDS)('%s has no condition that says that its schema is not structural', async (kind) => {
    const { plural, group } = { ...crdOf(kind).spec.names, ...crdOf(kind).spec };
    const crd = await server.admin.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`);
    const types = (crd.status.conditions as { type: string; status: string }[]).map(({ type, status }) => `${type}=${status}`);
    expect(types.sort()).toEqual(['Established=True', 'NamesAccepted=True']);
  });

  it.each(KINDS)('%s has status.observedGeneration -1 and no conditions from the start', async (kind) => {
    const stored = await created({ ...PLAIN[kind]!, metadata: { name: 'from-the-start' } });
    expect(stored.status).toEqual({ observedGeneration: -1, conditions: [] });
    expect(stored.metadata.generation).toBe(1);
  });

  it('stores what the builders give, and writes no default for a field that a policy can constrain', async () => {
    for (const resource of Object.values(PLAIN)) {
      const { spec } = await created({ ...resource, metadata: { name: 'as-built' } });
      expect(spec).toEqual(resource.spec);
    }
    const { spec } = await server.admin.get(`${collection('SignalingGateway')}/as-built`);
    expect(Object.keys(spec as object).sort()).toEqual(
      ['bus', 'cryptoProfile', 'exposure', 'hosts', 'listener', 'observability', 'storage'],
    );
    expect(spec.observability).not.toHaveProperty('logLevel');
    expect(spec).not.toHaveProperty('replicas');
  });

  it.each(KINDS)('%s refuses a field that it does not know, and without strictness warns of it and drops it', async (kind) => {
    const plain = PLAIN[kind]!;
    const insecure = { ...plain, metadata: { name: 'insecure' }, spec: { ...(plain.spec as object), insecureAllowPlaintext: true } };
    const refused = await create(insecure, '&dryRun=All');
    expect(refused.status).toBe(400);
    expect(refused.body.message).toContain('unknown field "spec.insecureAllowPlaintext"');
    const warned = await server.request('POST', `${collection(kind)}?dryRun=All&fieldValidation=Warn`, insecure);
    expect(warned.status).toBe(201);
    expect(String(warned.headers['warning'])).toContain('unknown field');
    expect(warned.body.spec).not.toHaveProperty('insecureAllowPlaintext');
  });

  it('T51: has no place for a pod spec, a host path, an environment variable or another command', async () => {
    for (const field of ['hostPath', 'podTemplate', 'template', 'env', 'command', 'volumes', 'hostNetwork', 'serviceAccountName']) {
      const spec = { ...(PLAIN['SignalingGateway']!.spec as object), [field]: {} };
      const answer = await create({ ...PLAIN['SignalingGateway']!, metadata: { name: 'x' }, spec }, '&dryRun=All');
      expect({ field, status: answer.status }).toEqual({ field, status: 400 });
    }
  });

  describe('with a status', () => {
    const CONDITION = {
      type: 'Ready',
      status: 'False',
      reason: 'ReplicasNotReady',
      message: '1 of 2 pods are ready.',
      observedGeneration: 1,
      lastTransitionTime: '2026-03-01T12:00:00Z',
    };
    const applyStatus = async (kind: string, status: object, fieldManager = 'sallyport'): Promise<Json> => {
      const { apiVersion } = PLAIN[kind]!;
      const path = `${collection(kind)}/shown/status?fieldManager=${fieldManager}&force=true&fieldValidation=Strict`;
      const body = { apiVersion, kind, metadata: { name: 'shown' }, status };
      return server.admin.call('PATCH', path, body, { contentType: 'application/apply-patch+yaml' });
    };
    beforeAll(async () => {
      for (const resource of Object.values(PLAIN)) await created({ ...resource, metadata: { name: 'shown' } });
    });

    const COLUMNS: readonly (readonly [string, object, readonly unknown[]])[] = [
      [
        'SignalingGateway',
        {
          readyReplicas: 1,
          renderVersion: 1,
          endpoints: [{ address: '203.0.113.9', port: 8443, protocol: 'TCP', state: 'Ready' }],
        },
        ['shown', 'False', 'ReplicasNotReady', 1, '203.0.113.9', expect.any(String), 'Embedded', 1],
      ],
      [
        'RelayPool',
        {
          readyReplicas: 2,
          renderVersion: 1,
          endpoints: [
            { replica: 0, address: '203.0.113.10', port: 3478, protocol: 'UDP', state: 'Ready' },
            { replica: 1, address: '203.0.113.11', port: 3478, protocol: 'UDP', state: 'Draining' },
          ],
        },
        ['shown', 'False', 'ReplicasNotReady', 'eu-central', 2, '203.0.113.10', expect.any(String), 1],
      ],
      [
        'AccessRole',
        { gateways: [{ name: 'edge', serial: 7 }] },
        ['shown', 'False', 'ReplicasNotReady', false, 'edge', null, expect.any(String)],
      ],
      [
        'RetentionPolicy',
        { gateways: [{ name: 'edge', applied: true }] },
        ['shown', 'False', 'ReplicasNotReady', 'edge', null, expect.any(String)],
      ],
    ];

    it.each(COLUMNS)('%s shows its printer columns', async (kind, status, cells) => {
      await applyStatus(kind, { observedGeneration: 1, conditions: [CONDITION], ...status });
      const path = `${collection(kind)}/shown`;
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
      const table = await tableOf(server, path, accept);
      const names = versionOf(crdOf(kind)).additionalPrinterColumns.map(({ name }) => name);
      expect((table.columnDefinitions as { name: string }[]).map(({ name }) => name)).toEqual(['Name', ...names]);
      expect(table.rows[0].cells).toEqual(cells);
    });

    it('keeps what two field managers write into one status', async () => {
      await applyStatus('SignalingGateway', { observedGeneration: 1, conditions: [CONDITION], readyReplicas: 1 });
      const bundle = { serial: 3, digest: 'ab'.repeat(32), configMap: 'shown-gateway-policy' };
      await applyStatus('SignalingGateway', { policyBundle: bundle }, 'sallyport-policy');
      const { status } = await applyStatus('SignalingGateway', { observedGeneration: 2, conditions: [CONDITION], readyReplicas: 2 });
      expect(status).toMatchObject({ observedGeneration: 2, readyReplicas: 2, policyBundle: bundle });
    });

    it('refuses a condition without a reason or with a message of more than 256 characters', async () => {
      const long = { ...CONDITION, message: 'x'.repeat(257) };
      const bare = { ...CONDITION, reason: undefined };
      for (const condition of [long, bare]) {
        const applied = applyStatus('RelayPool', { observedGeneration: 1, conditions: [condition] });
        await expect(applied).rejects.toMatchObject({ status: 422 });
      }
    });
  });

  it.each(['SignalingGateway', 'RelayPool'])('%s scales through its scale subresource', async (kind) => {
    const resource = kind === 'RelayPool' ? written(aRelayPool({ replicas: 2 })) : written(aReplicatedGateway({ replicas: 2 }));
    await created({ ...resource, metadata: { name: 'scaled' } });
    const path = `${collection(kind)}/scaled`;
    const scale = await server.admin.get(`${path}/scale`);
    await server.admin.call('PUT', `${path}/scale`, { ...(scale as object), spec: { replicas: 4 } });
    expect((await server.admin.get(path)).spec.replicas).toBe(4);
  });

  it('does not scale a gateway with Embedded storage, and says why', async () => {
    await created({ ...written(aSignalingGateway({ replicas: 1 })), metadata: { name: 'single' } });
    const path = `${collection('SignalingGateway')}/single/scale`;
    const scale = await server.admin.get(path);
    const answer = await server.request('PUT', path, { ...(scale as object), spec: { replicas: 2 } });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain('Embedded storage serves exactly one replica');
  });

  it('finds resources by their selectable fields', async () => {
    await created({ ...PLAIN['RelayPool']!, metadata: { name: 'far' }, spec: { region: 'us-east' } });
    const found = await server.admin.get(`${collection('RelayPool')}?fieldSelector=spec.region%3Dus-east`);
    expect((found.items as AnyObject[]).map(({ metadata }) => metadata.name)).toEqual(['far']);
    for (const { crd } of ALL_CRDS) {
      for (const { jsonPath } of versionOf(crd).selectableFields) {
        const query = `?fieldSelector=${jsonPath.slice(1)}%3Dnothing`;
        const answer = await server.request('GET', collection(crd.spec.names.kind) + query);
        expect({ jsonPath, status: answer.status, items: answer.body.items as unknown }).toEqual({ jsonPath, status: 200, items: [] });
      }
    }
  });

  it('knows short names and the category', async () => {
    const { resources } = await server.admin.get('/apis/sallyport.dev/v1alpha1');
    const kinds = (resources as { name: string; kind: string; shortNames: string[]; categories: string[] }[])
      .filter(({ name }) => !name.includes('/'))
      .map(({ kind, shortNames, categories }) => [kind, ...shortNames, ...categories]);
    expect(kinds.sort()).toEqual([
      ['AccessRole', 'arole', 'sallyport'],
      ['RelayPool', 'rp', 'sallyport'],
      ['RetentionPolicy', 'rpol', 'sallyport'],
      ['SignalingGateway', 'sgw', 'sallyport'],
    ]);
  });

  it('shows the revision of each schema to everybody who may read the API documents', async () => {
    const { components } = await server.admin.call('GET', '/openapi/v3/apis/sallyport.dev/v1alpha1', undefined, { user: 'stranger' });
    for (const kind of KINDS) {
      expect(components.schemas[`dev.sallyport.v1alpha1.${kind}`].description).toMatch(/Schema revision 1\.$/);
    }
  });

  const files = ['samples', 'quickstart'].flatMap((folder) =>
    readdirSync(join(CONFIG, folder)).map((file) => `${folder}/${file}`),
  );
  it.each(files)('accepts config/%s', async (file) => {
    const documents = loadAll(readFileSync(join(CONFIG, file), 'utf8')) as AnyObject[];
    expect(documents.length).toBeGreaterThan(0);
    for (const resource of documents) {
      const answer = await create(resource, '&dryRun=All');
      expect({ status: answer.status, message: answer.body.message as unknown }).toEqual({ status: 201, message: undefined });
    }
  });

  it('has a sample of each kind', () => {
    const kinds = readdirSync(join(CONFIG, 'samples')).flatMap((file) =>
      (loadAll(readFileSync(join(CONFIG, 'samples', file), 'utf8')) as AnyObject[]).map(({ kind }) => kind),
    );
    expect([...new Set(kinds)].sort()).toEqual([...KINDS].sort());
  });

  it.each([
    ['SignalingGateways', signalingGateways],
    ['RelayPools', relayPools],
    ['AccessRoles', accessRoles],
    ['RetentionPolicies', retentionPolicies],
  ] as readonly (readonly [string, fc.Arbitrary<object>])[])('accepts 200 random %s and stores them as they were made', async (_, arbitrary) => {
    const property = fc.asyncProperty(arbitrary, async (made) => {
      const answer = await create(written(made), '&dryRun=All');
      expect(answer).toMatchObject({ status: 201 });
      expect(answer.body.spec).toEqual((made as AnyObject).spec);
    });
    await fc.assert(property, { numRuns: 200, seed: SEED });
  });
});

async function tableOf(server: TestApiServer, path: string, accept: string): Promise<Json> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ connect: { ca: server.ca } });
  const headers = { authorization: `Bearer ${server.tokenOf('admin')}`, accept };
  const answer = await request(server.url + path, { dispatcher, headers });
  const table: Json = await answer.body.json();
  await dispatcher.destroy();
  return table;
}
