import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Crd } from './schema.js';

/** The CRDs of `folder` with their file names, in order. */
export function readCrds(folder: string): readonly { readonly file: string; readonly crd: Crd }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((file) => ({ file, crd: load(readFileSync(join(folder, file), 'utf8')) as Crd }));
}
