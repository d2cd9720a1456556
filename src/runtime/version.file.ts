import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version in package.json, two folders above both src/runtime and dist/runtime. */
export function programVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
