import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { apiPage } from '../../../config/tooling/generate/api-docs.js';
import { kindModule } from '../../../config/tooling/generate/kinds.js';
import { valuesOf, type Crd } from '../../../config/tooling/generate/schema.js';

const crd = load(
  readFileSync(fileURLToPath(new URL('./small-crd.yaml', import.meta.url)), 'utf8'),
) as Crd;

describe('the TypeScript of a CRD', () => {
  const text = kindModule(crd, 'crds/small.yaml');

  it('has the kind as the API server knows it', () => {
    expect(text).toContain("export const SMALL_THING = {\n  apiVersion: 'example.dev/v1',\n  kind: 'SmallThing',\n  plural: 'smallthings',\n  schemaRevision: 3,\n} as const;");
    expect(text).toContain('export type SmallThing = {');
  });

  it('has a field without question mark when it is required or has a default', () => {
    expect(text).toContain('readonly size: number;');
    expect(text).toContain('readonly port: number;');
    expect(text).toContain('readonly note?: string;');
  });

  it('makes unions of enums and of rules that list values, without the wildcard that another rule refuses', () => {
    expect(text).toContain("readonly colour?: 'Red' | 'Green';");
    expect(text).toContain("readonly verbs?: readonly ('Read' | 'Write')[];");
  });

  it('names the type of an item in the singular, and of status after it', () => {
    expect(text).toContain('readonly parts?: readonly SmallThingPart[];');
    expect(text).toContain('export interface SmallThingStatusEntry {');
    expect(text).toContain('readonly labels?: Readonly<Record<string, string>>;');
  });

  it('carries descriptions and defaults as comments', () => {
    expect(text).toContain("/** TCP port. The CRD's default is 80. */");
  });
});

describe('the page of a CRD', () => {
  const page = apiPage(crd, 'crds/small.yaml');

  it('has each field with type, bounds, default and description', () => {
    expect(page).toContain('- **`size`** (integer 1 to 9, required): How large.');
    expect(page).toContain('- **`port`** (integer 1 to 65535, default `80`): TCP port.');
    expect(page).toContain('- **`parts[].name`** (string of at most 10 characters, required): Its name.');
  });

  it('has each rule with its place and message', () => {
    expect(page).toContain("- **`spec.verbs[]`**: write Read or Write\n  `self in ['Read', 'Write', '*']`");
  });
});

it('reads no values from a rule that does more than list them', () => {
  const rule = { rule: "self in ['A'] || self == 'B'", message: 'm' };
  expect(valuesOf({ type: 'string', 'x-kubernetes-validations': [rule] })).toBeUndefined();
});
