import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { completionScript } from './completion.js';

/** What bash offers for the last of `words`. */
function offered(...words: readonly string[]): readonly string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash')}
COMP_WORDS=(sallyport ${typed}); COMP_CWORD=${words.length}; _sallyport; echo "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc'], { input: script, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split(' ');
}

describe('the completion of bash', () => {
  it('offers commands, groups and options where they stand', () => {
    expect(offered('id')).toEqual(['identity']);
    expect(offered('identity', '')).toEqual([
      ...['--help', 'backup', 'create', 'passphrase', 'restore', 'show'],
    ]);
    expect(offered('admin', 'users', 'res')).toEqual(['reset-factors']);
    expect(offered('identity', 'create', '--wo')).toEqual(['--words']);
    expect(offered('status', '--output')).toEqual(['--output']);
  });

  it('goes on behind options and values', () => {
    expect(offered('devices', 'revoke', 'xyz', '--pass')).toEqual([
      '--passphrase-fd',
      '--passphrase-file',
    ]);
  });
});

describe('the completions of zsh and fish', () => {
  it.each(['zsh', 'fish'] as const)('of %s name every group and its commands', (shell) => {
    const script = completionScript(shell);
    for (const words of ['backup create restore show', 'list pending revoke', 'bash'])
      if (words !== 'bash') for (const word of words.split(' ')) expect(script).toContain(word);
    expect(script).toContain('admin users');
  });
});
