import { describe, expect, it } from '@jest/globals';
import type { Child } from '../../kubernetes/cluster.js';
import type { Condition } from '../../kubernetes/plan.js';
import { restartDigest } from './objects.js';
import {
  ANNOTATION_TEMPLATE,
  ANNOTATION_TEMPLATE_SINCE,
  chooseTemplate,
  goodRevision,
} from './rollback.js';
import type { RollbackInput } from './rollback.js';
import type { PodTemplate } from './shapes.js';

const NOON = new Date('2026-03-02T12:00:00Z');
const template = (image: string): PodTemplate => ({
  metadata: { labels: {} },
  spec: { serviceAccountName: 'a', containers: [{ name: 'gateway', image }] },
});
const GOOD = template('r/x:1');
const BROKEN = template('r/x:2');

const child = (kind: string, name: string, more: Partial<Child>): Child => ({
  ref: { apiVersion: 'apps/v1', kind, namespace: 'demo', name },
  uid: name,
  resourceVersion: '1',
  generation: 1,
  ownedHash: '',
  labels: {},
  annotations: {},
  view: {},
  ...more,
});
const workload = (kind: string, written: PodTemplate, since = '2026-03-02T11:50:00Z') =>
  child(kind, 'edge', {
    annotations: {
      [ANNOTATION_TEMPLATE]: restartDigest(written),
      [ANNOTATION_TEMPLATE_SINCE]: since,
    },
  });
const revisionOf = (good: PodTemplate, name?: string) => {
  const made = goodRevision('edge-good', good, (named) => ({ name: named, namespace: 'demo' }));
  return child('ControllerRevision', name ?? made.metadata.name, {
    view: { data: made['data'], revision: 1 },
  });
};
const choose = (change: Partial<RollbackInput>) =>
  chooseTemplate({
    wanted: BROKEN,
    workload: workload('Deployment', BROKEN),
    revisions: [revisionOf(GOOD)],
    complete: false,
    givenUp: false,
    deadlineSeconds: 600,
    conditions: [],
    generation: 2,
    now: NOON,
    ...change,
  });
const stalled = (observedGeneration: number): Condition => ({
  type: 'Stalled',
  status: 'True',
  reason: 'RolloutFailed',
  message: '',
  observedGeneration,
  lastTransitionTime: '2026-03-02T11:00:00Z',
});

describe('a Deployment that rolls out', () => {
  it('goes on as long as its controller does, however long that takes', () => {
    const since = '2026-03-01T00:00:00Z';
    const rollout = choose({ workload: workload('Deployment', BROKEN, since) });
    expect(rollout).toMatchObject({ template: BROKEN, outcome: 'Going', good: GOOD });
  });

  it('goes back when its controller gives up', () => {
    expect(choose({ givenUp: true })).toMatchObject({
      template: GOOD,
      outcome: 'Failed',
      rolledBack: true,
      good: GOOD,
    });
  });

  it('says so when there is nothing to go back to', () => {
    const rollout = choose({ givenUp: true, revisions: [] });
    expect(rollout).toMatchObject({ template: BROKEN, outcome: 'Failed', rolledBack: false });
    expect(rollout).not.toHaveProperty('good');
  });

  it('is not blamed for the template before it, which is still being replaced', () => {
    const before = workload('Deployment', template('r/x:0'));
    expect(choose({ givenUp: true, workload: before }).outcome).toBe('Going');
  });

  it('is good once every pod is ready, and then a lost node is no failed rollout', () => {
    const done = choose({ complete: true });
    expect(done).toMatchObject({ template: BROKEN, outcome: 'Going', good: BROKEN });
    const later = choose({ givenUp: true, revisions: [revisionOf(BROKEN)] });
    expect(later).toMatchObject({ template: BROKEN, outcome: 'Going' });
  });
});

describe('a StatefulSet that rolls out', () => {
  it('has until its deadline, counted from when the template was written first', () => {
    const set = workload('StatefulSet', BROKEN, '2026-03-02T11:50:01Z');
    const rollout = choose({ workload: set });
    expect(rollout).toMatchObject({ template: BROKEN, outcome: 'Going' });
    expect(rollout.deadlineAt).toEqual(new Date('2026-03-02T12:00:01Z'));
    expect(rollout.annotations[ANNOTATION_TEMPLATE_SINCE]).toBe('2026-03-02T11:50:01Z');
  });

  it('goes back at its deadline', () => {
    expect(choose({ workload: workload('StatefulSet', BROKEN) }).template).toEqual(GOOD);
  });

  it('starts to count when the template is written', () => {
    const { annotations } = choose({ workload: workload('StatefulSet', GOOD) });
    expect(annotations).toEqual({
      [ANNOTATION_TEMPLATE]: restartDigest(BROKEN),
      [ANNOTATION_TEMPLATE_SINCE]: '2026-03-02T12:00:00Z',
    });
  });
});

describe('a rollout that failed', () => {
  it('stays failed until the spec changes', () => {
    const back = workload('StatefulSet', GOOD);
    expect(choose({ workload: back, complete: true, conditions: [stalled(2)] }).template).toEqual(
      GOOD,
    );
    expect(choose({ workload: back, complete: true, conditions: [stalled(1)] }).template).toEqual(
      BROKEN,
    );
  });
});

describe('a revision that somebody edited', () => {
  it('is none: its name has the digest of what it held', () => {
    const edited = revisionOf(BROKEN, revisionOf(GOOD).ref.name);
    expect(choose({ givenUp: true, revisions: [edited] })).toMatchObject({ rolledBack: false });
  });
});
