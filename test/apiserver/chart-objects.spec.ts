import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CASES } from '../chart/cases.js';
import { rendered } from '../chart/helm.js';
import type { AnyObject } from './bed/admin.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { OPERATOR_ACCOUNT } from './chart-bed.js';
import { installOptionalKinds } from './rbac-scenario.js';

let server: TestApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await installOptionalKinds(server);
  for (const namespace of ['sallyport-system', 'operators', 'clinic', 'office', 'elsewhere'])
    await server.createNamespace(namespace);
});
afterAll(() => server.stop());

/** What the API server says to each object when it is applied without being stored; empty: nothing. */
async function complaints(objects: readonly AnyObject[]): Promise<string[]> {
  const found: string[] = [];
  for (const object of objects) {
    const path = await server.admin.pathOf(object);
    const query = 'fieldManager=helm&force=true&dryRun=All&fieldValidation=Strict';
    const contentType = 'application/apply-patch+yaml';
    const { status, headers, body } = await server.request('PATCH', `${path}?${query}`, object, {
      contentType,
    });
    if (status >= 400 || headers['warning'] !== undefined)
      found.push(
        `${object.kind} ${object.metadata.name}: ${String(headers['warning'] ?? body.message)}`,
      );
  }
  return found;
}

/** Whether RBAC lets the operator do this. */
async function mayOperator(
  verb: string,
  resource: string,
  { namespace, group = '' }: { readonly namespace?: string; readonly group?: string } = {},
): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const review = await server.admin.call('POST', path, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: OPERATOR_ACCOUNT,
      groups: ['system:serviceaccounts', 'system:authenticated'],
      resourceAttributes: { verb, resource, group, ...(namespace && { namespace }) },
    },
  });
  return (review as { status: { allowed: boolean } }).status.allowed;
}

describe('the API server', () => {
  it.each(Object.keys(CASES))(
    'knows every field of what %s renders, and warns of none',
    async (name) => {
      // js-yaml gives plain objects; each has what AnyObject names.
      const objects = rendered(CASES[name]);
      expect(objects.length).toBeGreaterThan(0);
      expect(await complaints(objects)).toEqual([]);
    },
  );

  it('complains of a field that it does not know', async () => {
    const object = { ...CONFIG_MAP, dada: {} } as AnyObject;
    expect(await complaints([object])).toEqual([expect.stringContaining('dada')]);
  });
});

const CONFIG_MAP = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', namespace: 'office' },
};

describe('S189: an operator of named namespaces', () => {
  beforeAll(async () => {
    const objects = rendered(CASES['named-namespaces']);
    for (const object of objects.filter(({ kind }) => /^Role/.test(kind)))
      await server.apply(object);
  });

  it.each(['clinic', 'office', 'sallyport-system'])('may work in %s', async (namespace) => {
    expect(await mayOperator('list', 'secrets', { namespace })).toBe(true);
    const group = 'sallyport.dev';
    expect(await mayOperator('watch', 'relaypools', { namespace, group })).toBe(true);
  });

  it('may do nothing in any other namespace, and nothing in all', async () => {
    for (const verb of ['get', 'list', 'watch', 'create', 'patch', 'delete']) {
      expect(await mayOperator(verb, 'secrets', { namespace: 'elsewhere' })).toBe(false);
      expect(await mayOperator(verb, 'secrets')).toBe(false);
      expect(await mayOperator(verb, 'namespaces')).toBe(false);
      const group = 'apiextensions.k8s.io';
      expect(await mayOperator(verb, 'customresourcedefinitions', { group })).toBe(false);
    }
  });
});
