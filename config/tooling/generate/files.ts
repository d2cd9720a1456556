import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { generateAlerts } from './alerts.js';
import { apiPage } from './api-docs.js';
import { generateCharts } from './charts.js';
import { readCrds } from './crds.js';
import { fileName, kindModule } from './kinds.js';
import { generateRbac } from './rbac.js';

/** One file to write. */
export interface Generated {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Everything that is generated. Another generator is one more line here. */
const GENERATORS: readonly ((root: string) => readonly Generated[])[] = [
  kinds,
  apiPages,
  generateRbac,
  generateCharts,
  generateAlerts,
];

function kinds(root: string): readonly Generated[] {
  return readCrds(join(root, 'crds')).map(({ file, crd }) => ({
    path: `src/kinds/${fileName(crd.spec.names.kind)}.gen.ts`,
    text: kindModule(crd, `crds/${file}`),
  }));
}

function apiPages(root: string): readonly Generated[] {
  return readCrds(join(root, 'crds')).map(({ file, crd }) => ({
    path: `docs/api/${fileName(crd.spec.names.kind)}.md`,
    text: apiPage(crd, `crds/${file}`),
  }));
}

/** Every generated file of the repository at `root`. Pages and charts are kept as they are: Prettier would pad their tables, and takes templates for YAML. */
export async function generatedFiles(root: string): Promise<readonly Generated[]> {
  const files = GENERATORS.flatMap((generate) => generate(root));
  return Promise.all(
    files.map(async ({ path, text }) =>
      path.endsWith('.md') || path.startsWith('charts/')
        ? { path, text }
        : { path, text: await formatted(join(root, path), text) },
    ),
  );
}

async function formatted(filepath: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}
