import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../kubernetes/cluster.js';
import type { Condition } from '../kubernetes/plan.js';
import {
  absentKinds,
  documentPath,
  heldPlan,
  outdatedKinds,
  outdatedMessage,
  revisionsIn,
} from './schema-age.js';

const NOW = new Date('2026-03-02T12:00:00Z');

/** A document of /openapi/v3 in which kinds of `group` have these descriptions. */
const documentOf = (kinds: Readonly<Record<string, string>>, group = 'sallyport.dev'): unknown => ({
  components: {
    schemas: {
      Unrelated: { type: 'object', description: 'Schema revision 9.' },
      ...Object.fromEntries(
        Object.entries(kinds).map(([kind, description]) => [
          `dev.sallyport.v1alpha1.${kind}`,
          {
            description,
            'x-kubernetes-group-version-kind': [{ group, kind, version: 'v1alpha1' }],
          },
        ]),
      ),
    },
  },
});
const KNOWN = [
  { kind: 'RelayPool', schemaRevision: 2 },
  { kind: 'AccessRole', schemaRevision: 1 },
];

describe('revisionsIn', () => {
  it('reads the revision at the end of each description of our group', () => {
    const document = documentOf({ RelayPool: 'A pool. Schema revision 12.' });
    expect([...revisionsIn(document)]).toEqual([['RelayPool', 12]]);
    expect(revisionsIn(documentOf({ RelayPool: 'Schema revision 1.' }, 'example.com')).size).toBe(
      0,
    );
  });

  it('takes a kind without a revision for older than any', () => {
    expect(revisionsIn(documentOf({ RelayPool: 'A pool.' })).get('RelayPool')).toBe(0);
  });

  it.each([
    undefined,
    null,
    3,
    'text',
    [],
    {},
    { components: null },
    { components: { schemas: [1] } },
  ])('reads nothing from %j', (document) => {
    expect(revisionsIn(document).size).toBe(0);
    expect(documentPath(document)).toBeUndefined();
  });
});

describe('documentPath', () => {
  it('is where the index says that the document of our group is', () => {
    const serverRelativeURL = '/openapi/v3/apis/sallyport.dev/v1alpha1?hash=AB';
    const index = { paths: { 'apis/sallyport.dev/v1alpha1': { serverRelativeURL } } };
    expect(documentPath(index)).toBe(serverRelativeURL);
  });

  it('is no path to elsewhere', () => {
    const serverRelativeURL = '/api/v1/secrets';
    const index = { paths: { 'apis/sallyport.dev/v1alpha1': { serverRelativeURL } } };
    expect(documentPath(index)).toBeUndefined();
  });
});

describe('outdatedKinds', () => {
  it('are those that are served in an older revision than is known', () => {
    const of = (pool: number) => outdatedKinds(new Map([['RelayPool', pool]]), KNOWN);
    expect(of(1)).toEqual([{ kind: 'RelayPool', installed: 1, needed: 2 }]);
    expect(of(2)).toEqual([]);
    expect(of(3)).toEqual([]);
  });

  it('are none where this operator is older than every CRD, and where no CRD is installed', () => {
    expect(outdatedKinds(new Map([['SignalingGateway', 99]]))).toEqual([]);
    expect(outdatedKinds(new Map())).toEqual([]);
  });
});

describe('absentKinds', () => {
  it('are those that are not served', () => {
    expect(absentKinds(new Map([['RelayPool', 0]]), KNOWN)).toEqual(['AccessRole']);
    expect(absentKinds(new Map())).toHaveLength(4);
  });
});

describe('heldPlan', () => {
  const outdated = [{ kind: 'RelayPool', installed: 1, needed: 2 }];
  const condition = (type: string, status: Condition['status']): Condition => ({
    type,
    status,
    reason: 'Applied',
    message: 'Fine.',
    observedGeneration: 1,
    lastTransitionTime: '2026-03-01T12:00:00Z',
  });
  const pool: Resource = {
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'RelayPool',
    metadata: { name: 'eu', namespace: 'office', generation: 2 },
    spec: {},
    status: {
      observedGeneration: 1,
      ...{ replicas: 3 },
      conditions: [condition('Ready', 'True'), condition('Paused', 'False')],
    },
  };

  it('touches no object', () => {
    expect(heldPlan(pool, outdated, NOW)).toMatchObject({ apply: [], keep: [], prune: 'Nothing' });
  });

  it('says what to do, and keeps what status said besides', () => {
    const { status } = heldPlan(pool, outdated, NOW);
    expect(status).toMatchObject({ observedGeneration: 2, replicas: 3 });
    expect(status.conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Ready', 'False', 'CrdOutdated'],
      ['Paused', 'False', 'Applied'],
      ['Reconciling', 'False', 'CrdOutdated'],
      ['Stalled', 'True', 'CrdOutdated'],
    ]);
    expect(status.conditions[0]?.message).toContain('helm upgrade');
  });

  it('writes the same a second time', () => {
    const { status } = heldPlan(pool, outdated, NOW);
    const later = new Date(NOW.getTime() + 60_000);
    expect(heldPlan({ ...pool, status }, outdated, later).status).toEqual(status);
  });

  it('says what to do also when every kind is outdated', () => {
    const all = ['SignalingGateway', 'RelayPool', 'AccessRole', 'RetentionPolicy'];
    const kinds = all.map((kind) => ({ kind, installed: 1, needed: 2 }));
    const { conditions } = heldPlan(pool, kinds, NOW).status;
    expect(conditions[0]?.message).toMatch(/^Upgrade chart sallyport-cluster .{40,}$/);
    expect(conditions[0]?.message.length).toBeLessThanOrEqual(256);
    expect(outdatedMessage(kinds)).toContain('RetentionPolicy has schema revision 1, not 2.');
  });
});
