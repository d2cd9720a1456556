import { describe, expect, it } from '@jest/globals';
import { ActionableError } from '../runtime/errors.js';
import { settingsHelp } from '../runtime/setting-text.js';
import { operatorSettingsHelp, readOperatorSettings } from './settings.js';

const LEAST = {
  version: 1,
  installId: 'office',
  namespace: 'sallyport-system',
  renders: [{ version: 1, image: { repository: 'registry.example.com/sallyport', tag: '0.1.0' } }],
};

function refusal(changes: object): ActionableError {
  try {
    readOperatorSettings({ ...LEAST, ...changes }, 'settings.json');
  } catch (error) {
    if (error instanceof ActionableError) return error;
  }
  throw new Error('was accepted');
}

describe('operator settings', () => {
  it('need an install id, a namespace and a render; everything else has a default', () => {
    expect(readOperatorSettings(LEAST, 'settings.json')).toMatchObject({
      scope: { watch: 'All' },
      workers: 24,
      leaderElection: { enabled: true, leaseName: 'sallyport-operator', leaseSeconds: 15 },
      health: { port: 9090 },
    });
  });

  it.each([
    [{ scope: { watch: 'Named' } }, 'scope.namespaces=[] names none', 'List the namespaces'],
    [
      { scope: { namespaces: ['office'] } },
      'scope.watch="All" does not read it',
      'Set scope.watch to "Named"',
    ],
    [{ scope: { watch: 'Selected' } }, 'contradict each other', 'label selector'],
    [{ scope: { namespaceSelector: 'a=b' } }, 'contradict each other', 'label selector'],
    [{ leaderElection: { renewSeconds: 15 } }, 'renewSeconds=15 is not below', 'two thirds'],
    [{ leaderElection: { retrySeconds: 9 } }, 'retrySeconds=9 is too near', 'a fifth'],
    [
      {
        renders: [
          { ...LEAST.renders[0], version: 1 },
          { ...LEAST.renders[0], version: 2 },
        ],
      },
      '1, 2, which do not fall',
      'newest first',
    ],
    [{ installId: 'Office!' }, 'installId="Office!" is not text', 'SPIFFE'],
    [{ workers: 0 }, 'workers=0 is not a whole number from 1 to 64', 'use 24'],
    [{ namspace: 'x' }, '"namspace" is not a setting', 'Write "namespace"'],
    [{ renders: [] }, 'renders=[] is not a list from 1 to 3 entries', 'newest first'],
  ])('are refused for %j with name, value, bounds and remedy', (changes, problem, hint) => {
    const error = refusal(changes);
    expect(error.code).toBe('ERR_SETTING');
    expect(error.problem).toContain(problem);
    expect(error.hint).toContain(hint);
  });

  it('are all described', () => {
    const lines = settingsHelp(operatorSettingsHelp);
    expect(lines.length).toBeGreaterThan(25);
    expect(lines.filter((line) => !/^[\w.[\]]+: .+\. [A-Z].+\.$/.test(line))).toEqual([]);
  });
});
