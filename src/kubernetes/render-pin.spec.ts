import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from './object.js';
import { chooseRender, differingPaths, planUpgrade, upgradeVerdict } from './render-pin.js';
import type { Render } from './render-pin.js';

const RENDERED = [3, 4, 5] as const;
const chosen = (...args: Parameters<typeof chooseRender>): Extract<Render, { state: 'Render' }> => {
  const render = chooseRender(...args);
  if (render.state !== 'Render') throw new Error(render.message);
  return render;
};

describe('the render version', () => {
  it.each([
    ['unset, nothing recorded: the newest', [undefined, undefined], 5],
    ['unset: the one recorded at creation', [undefined, 3], 3],
    ['unset, a record that is no longer written: the oldest', [undefined, 2], 3],
    ['Latest: the newest, whatever was recorded', ['Latest', 3], 5],
    ['a number: that one, whatever was recorded', [4, 5], 4],
  ] as const)('%s', (_, [choice, recorded], version) => {
    expect(chosen(choice, recorded, RENDERED)).toMatchObject({
      version,
      upgradePending: version < 5,
    });
  });

  it.each([
    [2, undefined],
    [6, undefined],
    [undefined, 6],
  ])(
    '%s (recorded %s) that this operator does not write is refused, and says which it does',
    (choice, recorded) => {
      expect(chooseRender(choice, recorded, RENDERED)).toMatchObject({
        state: 'Unsupported',
        reason: 'RenderVersionUnsupported',
        message: expect.stringContaining('3, 4, 5'),
      });
    },
  );

  it('that waits is said with the way to take it', () => {
    const verdict = upgradeVerdict(chosen(undefined, 4, RENDERED));
    expect(verdict).toMatchObject({ status: 'True', reason: 'RenderRecorded' });
    expect(verdict.message).toContain("'Latest'");
    expect(upgradeVerdict(chosen(4, 5, RENDERED)).reason).toBe('RenderPinned');
    expect(upgradeVerdict(chosen('Latest', 3, RENDERED))).toMatchObject({
      status: 'False',
      reason: 'UpToDate',
    });
  });
});

describe('the plan of an upgrade', () => {
  const deployment = (image: string, replicas: number): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'edge' },
    spec: { replicas, template: { spec: { containers: [{ name: 'gateway', image }] } } },
  });
  const config = (name: string): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
  });

  it('names each field and whether pods restart', () => {
    expect(planUpgrade([deployment('a', 2)], [deployment('b', 2)])).toEqual([
      {
        kind: 'Deployment',
        name: 'edge',
        action: 'Change',
        fields: ['spec.template.spec.containers[0].image'],
        restartsPods: true,
      },
    ]);
    expect(planUpgrade([deployment('a', 2)], [deployment('a', 3)])).toMatchObject([
      { fields: ['spec.replicas'], restartsPods: false },
    ]);
  });

  it('names what comes and what goes, and nothing that stays', () => {
    expect(
      planUpgrade([config('old'), config('same')], [config('new'), config('same')]),
    ).toMatchObject([
      { action: 'Create', name: 'new' },
      { action: 'Delete', name: 'old' },
    ]);
  });

  it('finds lists of other length, other types and missing fields', () => {
    expect(differingPaths({ a: [1, 2], b: 1, c: { d: 1 } }, { a: [1], b: {}, c: {} })).toEqual([
      'a',
      'b',
      'c.d',
    ]);
    expect(differingPaths({ a: [], b: {} }, { a: [], b: {} })).toEqual([]);
  });
});
