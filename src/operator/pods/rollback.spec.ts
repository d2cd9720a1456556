import { describe, expect, it } from '@jest/globals';
import type { Child } from '../../kubernetes/cluster.js';
import type { Condition } from '../../kubernetes/plan.js';
import { restartDigest } from './objects.js';
import {
  ANNOTATION_FAILED_GENERATION,
  ANNOTATION_GOOD_TEMPLATE,
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
const workload = (
  kind: string,
  written: PodTemplate,
  since = '2026-03-02T11:50:00Z',
  good: PodTemplate = GOOD,
) =>
  child(kind, 'edge', {
    annotations: {
      [ANNOTATION_TEMPLATE]: restartDigest(written),
      [ANNOTATION_TEMPLATE_SINCE]: since,
      [ANNOTATION_GOOD_TEMPLATE]: restartDigest(good),
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
      [ANNOTATION_GOOD_TEMPLATE]: restartDigest(GOOD),
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

  it('stays failed although the condition says something else since, as when a Secret is missing', () => {
    const { annotations } = choose({ givenUp: true });
    const back = child('Deployment', 'edge', { annotations });
    const later = choose({ workload: back, complete: true });
    expect(later).toMatchObject({ template: GOOD, outcome: 'Failed', annotations });
    const edited = choose({ workload: back, complete: true, generation: 3 });
    expect(edited).toMatchObject({ template: BROKEN, outcome: 'Going' });
    expect(edited.annotations).not.toHaveProperty([ANNOTATION_FAILED_GENERATION]);
  });
});

describe('a revision that somebody else wrote', () => {
  const evil = template('evil.example/x:1');

  it('is none when it was edited', () => {
    const edited = revisionOf(BROKEN, revisionOf(GOOD).ref.name);
    const unwritten = workload('Deployment', template('r/x:0'));
    const rollout = choose({ conditions: [stalled(2)], workload: unwritten, revisions: [edited] });
    expect(rollout).toMatchObject({ rolledBack: false, template: BROKEN });
  });

  it('T51: is never run, although its name has the digest of what it holds', () => {
    const rollout = choose({ givenUp: true, revisions: [revisionOf(evil)] });
    expect(rollout).toMatchObject({ outcome: 'Failed', rolledBack: false, template: BROKEN });
    expect(JSON.stringify(rollout)).not.toContain('evil');
  });

  it('T51: does not keep the real one from being found', () => {
    const revisions = [revisionOf(evil), revisionOf(GOOD)];
    expect(choose({ givenUp: true, revisions })).toMatchObject({ template: GOOD, good: GOOD });
  });

  it('T51: is none when the workload is gone, and with it what was known of it', () => {
    const rollout = choose({
      workload: undefined,
      revisions: [revisionOf(evil), revisionOf(GOOD)],
    });
    expect(rollout).not.toHaveProperty('good');
    expect(rollout.annotations).not.toHaveProperty([ANNOTATION_GOOD_TEMPLATE]);
  });
});

describe('a template that got ready while a pause held the workload', () => {
  it('is the one to go back to, because it was written last and has a revision', () => {
    const paused = workload('Deployment', BROKEN, '2026-03-02T11:50:00Z', template('r/x:0'));
    const wanted = template('r/x:3');
    const rollout = choose({ wanted, workload: paused, revisions: [revisionOf(BROKEN)] });
    expect(rollout).toMatchObject({ template: wanted, good: BROKEN });
    expect(rollout.annotations[ANNOTATION_GOOD_TEMPLATE]).toBe(restartDigest(BROKEN));
  });
});
