import { describe, expect, it } from '@jest/globals';
import { Type } from 'typebox';
import { restartPart } from './live-settings.js';

const schema = Type.Object({
  level: Type.String({ live: true }),
  port: Type.Integer(),
  limits: Type.Object({ perSecond: Type.Integer({ live: true }) }),
  store: Type.Union([
    Type.Object({ type: Type.Literal('A'), folder: Type.String() }),
    Type.Object({ type: Type.Literal('B'), size: Type.Integer({ live: true }) }),
  ]),
});
const settings = {
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
