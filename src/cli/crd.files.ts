import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { CrdSchemas, type Crd } from './crd-schema.js';

/** crds/ of the repository or image: two folders above both src/cli and dist/cli. */
const CRD_FOLDER = join(import.meta.dirname, '../../crds');

/** The schemas of all our kinds. */
export async function readCrdSchemas(folder = CRD_FOLDER): Promise<CrdSchemas> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return new CrdSchemas(texts.map((text) => load(text) as Crd));
}
