import { describe, expect, it } from '@jest/globals';
import {
  attributeDrift,
  driftVerdict,
  fightEndsInMs,
  FIGHT_QUIET_MS,
  forgetFights,
  foughtDrift,
  MAX_DRIFT_RECORDS,
  recordDrift,
  WHOLE_OBJECT,
} from './drift.js';
import type { Drift, DriftRecord } from './drift.js';
import type { KubernetesObject } from './object.js';

const NOON = new Date('2030-01-01T12:00:00Z');
const later = (ms: number): Date => new Date(NOON.getTime() + ms);
const drift: Drift = { kind: 'ConfigMap', name: 'edge', field: 'data.text', manager: 'kubectl' };

/** The records after `times` reverts, `everyMs` apart. */
function reverted(
  times: number,
  everyMs = 1000,
  start: readonly DriftRecord[] = [],
): readonly DriftRecord[] {
  let records = start;
  for (let time = 0; time < times; time += 1)
    records = recordDrift(records, [drift], later(time * everyMs));
  return records;
}

describe('reverts', () => {
  it('of one field by one manager are counted in one record', () => {
    expect(reverted(3)).toEqual([{ ...drift, at: '2030-01-01T12:00:02Z', reverts: 3 }]);
  });

  it('by another manager, or of another field, are another record', () => {
    const records = recordDrift(reverted(2), [{ ...drift, manager: 'argo' }], later(1000));
    expect(records.map(({ reverts }) => reverts)).toEqual([1, 2]);
  });

  it('that are far apart start from one', () => {
    expect(reverted(4, 11 * 60_000)).toMatchObject([{ reverts: 1 }]);
  });

  it('are bounded, the newest first', () => {
    let records: readonly DriftRecord[] = [];
    for (let field = 0; field < 40; field += 1) {
      records = recordDrift(records, [{ ...drift, field: `data.f${field}` }], later(field * 1000));
    }
    expect(records).toHaveLength(MAX_DRIFT_RECORDS);
    expect(records[0]).toMatchObject({ field: 'data.f39' });
  });

  it('leave the records as they are when there are none', () => {
    const records = reverted(2);
    expect(recordDrift(records, [], later(1e9))).toBe(records);
  });
});

describe('a fight', () => {
  it('begins after the fifth revert, not before', () => {
    expect(foughtDrift(reverted(4), [drift], later(5000))).toBeUndefined();
    expect(foughtDrift(reverted(5), [drift], later(5000))).toMatchObject(drift);
  });

  it('is with one manager about one field', () => {
    expect(foughtDrift(reverted(5), [{ ...drift, manager: 'argo' }], later(5000))).toBeUndefined();
    expect(foughtDrift(reverted(5), [{ ...drift, field: 'data.x' }], later(5000))).toBeUndefined();
  });

  it('is tried once more after an hour, and then goes on at once', () => {
    const records = reverted(5);
    const after = later(FIGHT_QUIET_MS + 4000);
    expect(foughtDrift(records, [drift], after)).toBeUndefined();
    const again = recordDrift(records, [drift], after);
    expect(foughtDrift(again, [drift], later(FIGHT_QUIET_MS + 5000))).toMatchObject({ reverts: 6 });
  });

  it('is forgotten after a day', () => {
    expect(recordDrift(reverted(5), [drift], later(25 * 3_600_000))).toMatchObject([
      { reverts: 1 },
    ]);
  });

  it('is forgotten when the resource is edited', () => {
    expect(forgetFights(reverted(5))).toEqual([]);
    expect(forgetFights(reverted(4))).toHaveLength(1);
  });

  it('is never about a whole object: without it nothing works', () => {
    const deleted = { ...drift, field: WHOLE_OBJECT };
    const record = { ...deleted, at: '2030-01-01T12:00:00Z', reverts: 50 };
    expect(foughtDrift([record], [deleted], NOON)).toBeUndefined();
  });

  it('says when it is tried again', () => {
    expect(fightEndsInMs(reverted(5)[0]!, later(4000))).toBe(FIGHT_QUIET_MS);
  });
});

describe('DriftDetected', () => {
  it('is absent while nobody touched anything', () => {
    expect(driftVerdict([], [])).toBeUndefined();
  });

  it('is False after a repair, naming who and what', () => {
    expect(driftVerdict(reverted(1), [])).toMatchObject({
      status: 'False',
      reason: 'DriftRepaired',
      message: expect.stringContaining('data.text of ConfigMap edge was changed by kubectl'),
    });
  });

  it('is True in a fight, naming with whom and what to do', () => {
    expect(driftVerdict(reverted(5), [drift])).toMatchObject({
      status: 'True',
      reason: 'FightDetected',
      message: expect.stringContaining('kubectl keeps changing data.text of ConfigMap edge'),
    });
  });
});

describe('attribution', () => {
  const owned = (manager: string, operation: 'Apply' | 'Update', time: string) => ({
    manager,
    operation,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': { 'f:text': {} } } as Readonly<Record<string, unknown>>,
  });
  const desired: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'edge' },
    data: { text: 'ours' },
  };
  const live = (
    text: string | undefined,
    ...managedFields: ReturnType<typeof owned>[]
  ): KubernetesObject => ({
    ...desired,
    metadata: { name: 'edge', managedFields },
    data: text === undefined ? {} : { text },
  });

  it('names the newest other manager of the field', () => {
    const object = live(
      'theirs',
      owned('sallyport', 'Apply', '2030-01-01T00:00:03Z'),
      owned('old', 'Update', '2030-01-01T00:00:01Z'),
      owned('new', 'Update', '2030-01-01T00:00:02Z'),
    );
    expect(attributeDrift(desired, object, true)).toEqual([{ ...drift, manager: 'new' }]);
  });

  it('of a removed field names who wrote last, or nobody', () => {
    const other = { ...owned('remover', 'Update', '2030-01-01T00:00:01Z'), fieldsV1: {} };
    expect(attributeDrift(desired, live(undefined, other), true)).toMatchObject([
      { manager: 'remover' },
    ]);
    expect(attributeDrift(desired, live(undefined), true)).toMatchObject([{ manager: 'unknown' }]);
  });

  it('is silent about our own change of mind', () => {
    const object = live('before', owned('sallyport', 'Apply', '2030-01-01T00:00:01Z'));
    expect(attributeDrift(desired, object, false)).toEqual([]);
    expect(attributeDrift(desired, live(undefined), false)).toEqual([]);
  });

  it('is silent when the value is as wanted and ours', () => {
    const object = live('ours', owned('sallyport', 'Apply', '2030-01-01T00:00:01Z'));
    expect(attributeDrift(desired, object, true)).toEqual([]);
  });

  it('is silent when the value is as wanted, whoever wrote it: taking it back hurts nobody', () => {
    const object = live('ours', owned('taker', 'Apply', '2030-01-01T00:00:01Z'));
    expect(attributeDrift(desired, object, true)).toEqual([]);
  });

  it('names the place when somebody took away that anything is ours', () => {
    expect(attributeDrift(desired, live('ours'), true)).toMatchObject([
      { field: 'metadata.managedFields', manager: 'unknown' },
    ]);
  });
});
