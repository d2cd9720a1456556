/*
 * The bill of materials of one image: CycloneDX 1.6 as JSON. The same parts at the same commit give the same bytes: its
 * time is that of the commit, its serial number comes from its content.
 */
import { createHash } from 'node:crypto';
import type { Component } from './components.js';

/** What the bill is about. */
export interface SbomSubject {
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  readonly license: string;
  /** Seconds since 1970. */
  readonly epochSeconds: number;
  /** Hash of the commit. */
  readonly revision: string;
}

/** The bill as text, with a line break at its end. */
export function sbomText(subject: SbomSubject, components: readonly Component[]): string {
  const root = `${subject.name}@${subject.version}`;
  const body = {
    metadata: {
      timestamp: new Date(subject.epochSeconds * 1000).toISOString(),
      component: {
        type: 'container',
        'bom-ref': root,
        name: subject.name,
        version: subject.version,
        licenses: [{ license: { id: subject.license } }],
        properties: [
          { name: 'sallyport:platform', value: subject.platform },
          { name: 'sallyport:revision', value: subject.revision },
        ],
      },
    },
    components: components.map(componentOf),
    dependencies: [
      { ref: root, dependsOn: components.map(({ purl }) => purl) },
      ...components.map(({ purl, dependsOn }) => ({ ref: purl, dependsOn })),
    ],
  };
  const head = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    version: 1,
  };
  return `${JSON.stringify({ ...head, ...body }, null, 1)}\n`;
}

function componentOf(component: Component): object {
  const { name, version, purl, license, sha512, contains } = component;
  const [, group, short] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? { name } : { group, name: short }),
    version,
    ...(sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: sha512 }] }),
    ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
    purl,
    ...(contains === undefined ? {} : { components: contains.map((part) => partOf(purl, part)) }),
  };
}

/** A single identifier has a field of its own; everything longer is an expression. */
const licenseOf = (license: string): object =>
  /\s/.test(license) ? { expression: license } : { license: { id: license } };

function partOf(
  parent: string,
  { name, version }: { readonly name: string; readonly version: string },
): object {
  return {
    type: 'library',
    'bom-ref': `${parent}#${name}`,
    name,
    version,
    purl: `pkg:generic/${name}@${encodeURIComponent(version)}`,
  };
}

/** A UUID of version 8 (RFC 9562, section 5.8) of the first 16 bytes of SHA-256. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
