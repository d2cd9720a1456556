/*
 * What a container's command is on this machine: `node dist/bin/gateway.js` becomes this very Node with the bundled
 * program beside the running one.
 */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ActionableError } from '../runtime/errors.js';

/** Gives the function for programs in `folder`. @throws ActionableError, at each call, for a program that is not there */
export function programsIn(folder: string): (argv: readonly string[]) => readonly string[] {
  return ([program = '', script = '', ...args]) => {
    const file = `${folder}/${basename(script)}`;
    if (program === 'node' && dirname(script) === 'dist/bin' && existsSync(file))
      return [process.execPath, '--enable-source-maps', file, ...args];
    throw new ActionableError(
      'ERR_STATE',
      `The program "${program} ${script}" is not in ${folder}.`,
      'Build it: npm run compile.',
    );
  };
}
