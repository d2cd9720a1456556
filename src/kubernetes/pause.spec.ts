import { describe, expect, it } from '@jest/globals';
import type { Child } from './cluster.js';
import type { KubernetesObject } from './object.js';
import { refOf } from './object.js';
import { desiredHash } from './owned-fields.js';
import { holdWhilePaused, pausedVerdict, readPause } from './pause.js';
import type { Plan } from './plan.js';

const NOON = new Date('2030-01-01T12:00:00Z');
const until = (value: string): ReturnType<typeof readPause> =>
  readPause({ 'sallyport.dev/paused-until': value, 'sallyport.dev/paused-reason': 'freeze' }, NOON);

describe('the pause annotation', () => {
  it.each([
    ['2030-01-01T12:00:01Z', 'Paused'],
    ['2030-01-01T14:00:00+01:00', 'Paused'],
    ['2030-01-01T12:00:00Z', 'Expired'],
    ['2029-12-31T12:00:00Z', 'Expired'],
    ['2030-01-31T12:00:00Z', 'Paused'],
    ['2030-01-31T12:00:01Z', 'Invalid'],
    ['2030-13-01T12:00:00Z', 'Invalid'],
    ['2030-01-01T13:00:00', 'Invalid'],
    ['2030-01-02', 'Invalid'],
    ['tomorrow', 'Invalid'],
    ['', 'Invalid'],
  ])('%s is %s', (value, state) => {
    expect(until(value).state).toBe(state);
  });

  it('that is absent pauses nothing', () => {
    expect(readPause(undefined, NOON).state).toBe('Running');
    expect(readPause({ 'sallyport.dev/paused-reason': 'x' }, NOON).state).toBe('Running');
  });

  it('shows a bounded reason', () => {
    const annotations = {
      'sallyport.dev/paused-until': '2030-01-01T13:00:00Z',
      'sallyport.dev/paused-reason': 'r'.repeat(500),
    };
    expect(readPause(annotations, NOON)).toMatchObject({ reason: 'r'.repeat(100) });
  });
});

describe('a plan of a paused resource', () => {
  const object = (kind: string, value: string): KubernetesObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'talk' },
    data: { value },
  });
  const plan: Plan = {
    apply: [object('Secret', 'new'), object('ConfigMap', 'new'), object('Service', 'same')],
    keep: [],
    prune: 'Unlisted',
    status: { observedGeneration: 1, conditions: [] },
    events: [],
    requeueAfterMs: 7_200_000,
  };
  const cached = new Map([
    ['Secret', object('Secret', 'old')],
    ['ConfigMap', object('ConfigMap', 'old')],
    ['Service', object('Service', 'same')],
  ]);
  const input = {
    now: NOON,
    // Only the hash is read.
    child: ({ kind }: KubernetesObject) =>
      ({ ownedHash: desiredHash(cached.get(kind)!) }) as unknown as Child,
    hash: desiredHash,
    goesOn: ({ kind }: KubernetesObject) => kind === 'Secret',
  };

  it('applies what goes on, holds the rest, prunes nothing, and wakes when the pause ends', () => {
    const held = holdWhilePaused(plan, { ...input, pause: until('2030-01-01T13:00:00Z') });
    expect(held.plan).toMatchObject({
      apply: [{ kind: 'Secret' }],
      keep: [refOf(object('ConfigMap', '')), refOf(object('Service', ''))],
      prune: 'Nothing',
      requeueAfterMs: 3_600_000,
    });
  });

  it('counts only what would change', () => {
    const held = holdWhilePaused(plan, { ...input, pause: until('2030-01-01T13:00:00Z') });
    expect(held.pending).toBe(1);
    expect(held.verdict).toMatchObject({ status: 'True', reason: 'PausedByAnnotation' });
    expect(held.verdict.message).toContain('1 change waits');
    expect(held.verdict.message).toContain('freeze');
  });

  it('counts what is to be made as well', () => {
    const pause = until('2030-01-01T13:00:00Z');
    expect(holdWhilePaused(plan, { ...input, pause, child: () => undefined }).pending).toBe(2);
  });

  it.each(['2030-01-01T11:00:00Z', 'tomorrow'])('is untouched with %s', (value) => {
    expect(holdWhilePaused(plan, { ...input, pause: until(value) }).plan).toBe(plan);
  });

  it('says what to write when the value is no time', () => {
    expect(pausedVerdict(until('tomorrow'), 0).message).toContain('2030-01-31T12:00:00Z');
  });
});
