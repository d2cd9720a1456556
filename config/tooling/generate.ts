import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { readCrds } from './generate/crds.js';
import { fileName, kindModule } from './generate/kinds.js';

/** One file to write: its path below the repository, and its text. */
export interface Generated {
  readonly path: string;
  readonly text: string;
}

/** Everything that is generated. Another generator is one more line here. */
const GENERATORS: readonly ((root: string) => readonly Generated[])[] = [kinds];

function kinds(root: string): readonly Generated[] {
  return readCrds(join(root, 'crds')).map(({ file, crd }) => ({
    path: `src/kinds/${fileName(crd.spec.names.kind)}.gen.ts`,
    text: kindModule(crd, `crds/${file}`),
  }));
}

const root = fileURLToPath(new URL('../..', import.meta.url));
for (const { path, text } of GENERATORS.flatMap((generate) => generate(root))) {
  const file = join(root, path);
  const formatted = await format(text, { filepath: path, printWidth: 100, singleQuote: true });
  if (existsSync(file) && readFileSync(file, 'utf8') === formatted) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, formatted);
  console.log(`wrote ${path}`);
}
