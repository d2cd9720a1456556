import { describe, expect, it } from '@jest/globals';
import { parseProgramArguments } from './program-arguments.js';

const NEEDED = { pod: 'POOL-relay-ORDINAL' };

describe('the command line of a program that needs an option besides its settings', () => {
  it('gives both', () => {
    const argv = ['--pod', 'eu-relay-0', '--settings', '/s.json'];
    expect(parseProgramArguments(argv, NEEDED)).toEqual({
      action: 'Run',
      settingsPath: '/s.json',
      named: { pod: 'eu-relay-0' },
    });
  });

  it.each([
    [['--settings', '/s.json'], 'No pod is named.'],
    [['--settings', '/s.json', '--pod', ''], 'No pod is named.'],
    [['--pod', 'eu-relay-0'], 'No settings file is named.'],
  ])('is refused without one of them: %j', (argv, problem) => {
    const hint =
      'Write --settings PATH --pod POOL-relay-ORDINAL, or --help for the list of settings.';
    expect(() => parseProgramArguments(argv, NEEDED)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', problem, hint }),
    );
  });

  it.each([
    [['--help'], 'Help'] as const,
    [['-h'], 'Help'] as const,
    [['--version'], 'Version'] as const,
  ])('asks for nothing else with %j', (argv, action) => {
    expect(parseProgramArguments(argv, NEEDED)).toEqual({ action });
  });
});

describe('the command line of a program that needs its settings only', () => {
  it.each([[['--settings', '/s.json', '--pod', 'x']], [['--settings', '/s.json', 'x']]])(
    'takes nothing that it does not know: %j',
    (argv) => {
      expect(() => parseProgramArguments(argv)).toThrow(
        expect.objectContaining({ code: 'ERR_ARGUMENT' }),
      );
    },
  );
});
