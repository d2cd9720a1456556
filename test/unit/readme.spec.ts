import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
const LIBRARY = './src/client/endpoint.library.ts';

/** The first TypeScript block below a heading of README. */
function exampleBelow(heading: string): string {
  const [, section = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`\n${heading}\n`);
  const block = /```ts\n([\s\S]*?)```/.exec(section.split('\n## ')[0] ?? '')?.[1];
  if (block === undefined) throw new Error(`README has no example below ${heading}`);
  return block;
}

/** What the compiler says of each source, with our own settings; `sallyport/client` is the library in src. */
function complaintsAbout(...sources: readonly string[]): readonly (readonly string[])[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  // Imports of packages are resolved from where the examples would stand.
  const names = sources.map((_, i) => join(ROOT, `test/unit/readme-example-${i}.ts`));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    getSourceFile: (name, version) => {
      const source = sources[names.indexOf(name)];
      return source === undefined
        ? disk.getSourceFile(name, version)
        : ts.createSourceFile(name, source, version);
    },
  };
  const paths = { 'sallyport/client': [LIBRARY] };
  const program = ts.createProgram(names, { ...options, paths, noEmit: true }, host);
  return names.map((name) => {
    const file = program.getSourceFile(name);
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ];
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  });
}

describe('the example of the library in README', () => {
  it('compiles against the library, and does not with a name that it does not have', () => {
    const example = exampleBelow('## Use it from code');
    const broken = example.replace('client.connect(', 'client.conect(');
    const [complaints, complaintsAboutBroken] = complaintsAbout(example, broken);
    expect(complaints).toEqual([]);
    expect(complaintsAboutBroken).toEqual([expect.stringContaining("'conect' does not exist")]);
  });
});
