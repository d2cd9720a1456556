import { describe, expect, it } from '@jest/globals';
import { Type, type Static } from 'typebox';
import { restartPart, settingsChange } from './live-settings.js';

const schema = Type.Object({
  level: Type.String({ live: true }),
  port: Type.Integer(),
  limits: Type.Object({ perSecond: Type.Integer({ live: true }) }),
  store: Type.Union([
    Type.Object({ type: Type.Literal('A'), folder: Type.String() }),
    Type.Object({ type: Type.Literal('B'), size: Type.Integer({ live: true }) }),
  ]),
});
const settings: Static<typeof schema> = {
  level: 'info',
  port: 8443,
  limits: { perSecond: 5 },
  store: { type: 'A', folder: '/d' },
};

describe('the part of settings that needs a new process', () => {
  it('has every value but those taken up live', () => {
    expect(restartPart(schema, settings)).toEqual({
      port: 8443,
      store: { type: 'A', folder: '/d' },
    });
  });

  it('follows the branch of a union that the value has', () => {
    const part = restartPart(schema, { ...settings, store: { type: 'B', size: 3 } });
    expect(part).toEqual({ port: 8443, store: { type: 'B' } });
  });

  it('has values that the schema does not know: an unknown one is not known to be live', () => {
    expect(restartPart(schema, { later: 1 })).toEqual({ later: 1 });
  });

  it('throws for a union without the branch, which the schema would refuse as well', () => {
    expect(() => restartPart(schema, { store: { type: 'C' } })).toThrow(/type C/);
  });
});

describe('settings that change while the program runs', () => {
  const changeTo = (next: Static<typeof schema>) => settingsChange(schema, settings, next);

  it('are taken over where they are live, and need no restart then', () => {
    const next = { ...settings, level: 'debug', limits: { perSecond: 9 } };
    expect(changeTo(next)).toEqual({ settings: next, needsRestart: false });
  });

  it('stay as they were where they are not, while the live ones beside them change', () => {
    const next = { ...settings, port: 9443, limits: { perSecond: 9 } };
    const expected = { ...settings, limits: { perSecond: 9 } };
    expect(changeTo(next)).toEqual({ settings: expected, needsRestart: true });
  });

  it('keep their branch of a union', () => {
    const next = { ...settings, level: 'debug', store: { type: 'B' as const, size: 4 } };
    const expected = { ...settings, level: 'debug' };
    expect(changeTo(next)).toEqual({ settings: expected, needsRestart: true });
  });

  it('take over a live value that was absent', () => {
    const optional = Type.Object({
      port: Type.Integer(),
      level: Type.Optional(schema.properties.level),
    });
    const next = { port: 1, level: 'debug' };
    const change = settingsChange(optional, { port: 1 }, next);
    expect(change).toEqual({ settings: next, needsRestart: false });
  });
});
