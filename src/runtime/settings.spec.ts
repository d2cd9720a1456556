import { describe, expect, it } from '@jest/globals';
import Type from 'typebox';
import { ActionableError, exitCodeOf } from './errors.js';
import { nearestName, settingsHelp, type SettingSchema } from './setting-text.js';
import { readSettings } from './settings.js';

const schema = Type.Object(
  {
    version: Type.Literal(1),
    workers: Type.Integer({
      minimum: 1,
      maximum: 64,
      default: 8,
      description: 'Resources reconciled at once.',
    }),
    cluster: Type.Object(
      { podCIDRs: Type.Array(Type.String({ maxLength: 43 }), { maxItems: 4, default: [] }) },
      { additionalProperties: false, default: {} },
    ),
    renders: Type.Array(
      Type.Object({ image: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
      { default: [] },
    ),
    mode: Type.Union([Type.Literal('Fast'), Type.Literal('Safe')], { default: 'Safe' }),
  },
  { additionalProperties: false },
);

function refusal(value: unknown): ActionableError {
  try {
    readSettings(schema, value, 'settings.json');
  } catch (error) {
    if (error instanceof ActionableError) return error;
  }
  throw new Error('was accepted');
}

describe('readSettings', () => {
  it('fills in documented defaults and leaves its input alone', () => {
    const given = { version: 1 };
    expect(readSettings(schema, given, 'f')).toEqual({
      version: 1,
      workers: 8,
      cluster: { podCIDRs: [] },
      renders: [],
      mode: 'Safe',
    });
    expect(given).toEqual({ version: 1 });
  });

  it.each([
    [
      { workers: 0 },
      'workers=0 is not a whole number from 1 to 64.',
      'Set workers (Resources reconciled at once), or remove it to use 8.',
    ],
    [{ workers: '8' }, 'workers="8" is not a whole number from 1 to 64.', 'remove it to use 8.'],
    [
      { wokers: 3 },
      '"wokers" is not a setting.',
      'Write "workers" instead of "wokers", or remove it.',
    ],
    [{ cluster: { sevice: 1 } }, '"cluster.sevice" is not a setting.', 'known here: podCIDRs.'],
    [
      { cluster: { podCIDRs: [7] } },
      'cluster.podCIDRs[0]=7 is not text',
      'Correct cluster.podCIDRs[0].',
    ],
    [
      { renders: [{}] },
      'renders[0].image is missing; it must be text of at least 1 characters.',
      'renders[0].image',
    ],
    [{ mode: 'Quick' }, 'mode="Quick" is not one of "Fast", "Safe".', 'remove it to use "Safe".'],
    [{ version: 2 }, 'version=2 is not 1.', 'Correct version.'],
    [{ mode: '\n\u001b[2J' }, 'mode="\\n\\u001b[2J" is not', ''],
  ])('names value, bounds and remedy of %j', (wrong, problem, hint) => {
    const error = refusal({ version: 1, ...wrong });
    expect(error.code).toBe('ERR_SETTING');
    expect(error.problem).toContain(problem);
    expect(error.problem).toMatch(/^settings\.json: /);
    expect(error.hint).toContain(hint);
    expect(exitCodeOf(error)).toBe(78);
  });

  it('reports all wrong settings at once', () => {
    expect(
      refusal({ version: 1, workers: 65, mode: 1, extra: true }).problem.match(/is not/g),
    ).toHaveLength(3);
  });

  it('cuts a huge value short', () => {
    expect(refusal({ version: 1, mode: 'x'.repeat(10_000) }).problem.length).toBeLessThan(300);
  });
});

describe('settingsHelp', () => {
  it('gives name, bounds, default and meaning of every setting', () => {
    expect(settingsHelp(schema as SettingSchema)).toEqual([
      'version: 1; required. ',
      'workers: a whole number from 1 to 64; default 8. Resources reconciled at once.',
      'cluster.podCIDRs: a list of at most 4 entries, each text of at most 43 characters; default []. ',
      'renders: a list, each an object with image; default []. ',
      'renders[].image: text of at least 1 characters; required. ',
      'mode: one of "Fast", "Safe"; default "Safe". ',
    ]);
  });
});

describe('nearestName', () => {
  it.each([
    ['leaderElecton', 'leaderElection'],
    ['workers', 'workers'],
    ['colour', undefined],
  ])('%s -> %s', (name, expected) => {
    expect(nearestName(name, ['leaderElection', 'workers', 'logLevel'])).toBe(expected);
  });
});
