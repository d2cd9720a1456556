import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { generateRbac, rulesOf } from '../../config/tooling/generate/rbac.js';
import { RESOURCE_KINDS } from '../kubernetes/resources.js';
import { mayWatch, permissionsOf, VERBS } from './permissions.js';

const ROOT = join(import.meta.dirname, '../..');
const permissions = permissionsOf('sallyport-operator');
const named = (verb: string) =>
  permissions.filter(({ verbs }) => verb in verbs).map(({ resource }) => resource);

describe('S189: what the operator may do', () => {
  it('has no wildcard and none of the verbs and resources that give more than they say', () => {
    const forbidden =
      /\*|\/(exec|attach|portforward|proxy|token|eviction)$|^(roles|clusterroles|rolebindings|clusterrolebindings|nodes|validatingadmissionpolicies|customresourcedefinitions)$/;
    expect(
      permissions.filter(({ group, resource }) => forbidden.test(resource) || group === '*'),
    ).toEqual([]);
    const verbs = new Set(permissions.flatMap((one) => Object.keys(one.verbs)));
    expect([...verbs].filter((verb) => !(VERBS as readonly string[]).includes(verb))).toEqual([]);
  });

  it('never writes the spec of a resource of ours, a pod, a namespace or a claim', () => {
    const writes = ['create', 'update', 'patch', 'delete'].flatMap(named);
    const kinds = ['signalinggateways', 'relaypools', 'accessroles', 'retentionpolicies'];
    for (const resource of [...kinds, 'pods', 'namespaces', 'persistentvolumeclaims']) {
      expect(writes).not.toContain(resource);
    }
  });

  it('deletes no workload, account, policy or budget: those go with their resource', () => {
    expect(named('delete').sort()).toEqual([
      'certificates',
      'configmaps',
      'controllerrevisions',
      'horizontalpodautoscalers',
      'ingresses',
      'secrets',
      'servicemonitors',
      'services',
    ]);
  });

  it('gives each verb a reason, as a sentence', () => {
    const reasons = permissions.flatMap(({ verbs }) => Object.values(verbs));
    expect(reasons.filter((why) => !/^[A-Z].{15,}\.$/.test(why))).toEqual([]);
  });

  it('is limited to the lease of the leader where a name can be given', () => {
    expect(
      rulesOf('Operator').find(({ verbs }) => verbs.includes('update'))?.resourceNames,
    ).toEqual(['sallyport-operator']);
  });

  it('covers each kind that the engine may be asked to watch', () => {
    const watched = RESOURCE_KINDS.filter(({ apiVersion, plural }) => mayWatch(apiVersion, plural));
    expect(watched.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        'SignalingGateway',
        'RelayPool',
        'Secret',
        'Deployment',
        'ServiceMonitor',
      ]),
    );
    expect(watched.map(({ kind }) => kind)).not.toEqual(expect.arrayContaining(['Pod']));
  });

  it('names no cluster-scoped object in the named-namespaces profile', () => {
    const file = generateRbac().find(({ path }) => path.endsWith('operator-namespaced.yaml'));
    const objects = loadAll(file!.text) as { kind: string }[];
    expect([...new Set(objects.map(({ kind }) => kind))].sort()).toEqual(['Role', 'RoleBinding']);
  });

  it.each(generateRbac().map(({ path, text }) => [path, text]))(
    'stands in %s as generated',
    (path, text) => {
      const normal = (value: string) => value.replace(/[\s'"|-]+/g, ' ');
      expect(normal(readFileSync(join(ROOT, path), 'utf8'))).toBe(normal(text));
    },
  );
});
