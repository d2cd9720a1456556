import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readCrdSchemas } from './crd.files.js';
import type { CrdSchemas } from './crd-schema.js';
import { readResourceFiles } from './resource.files.js';

let schemas: CrdSchemas;
beforeAll(async () => {
  schemas = await readCrdSchemas();
});

const aPool = (spec: object) => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'RelayPool',
  metadata: { name: 'eu', namespace: 'default' },
  spec: { region: 'eu-north', replicas: 1, ...spec },
});

describe('a resource without an API server', () => {
  it('takes the defaults of its CRD', () => {
    expect(schemas.admit(aPool({}), 'pool.yaml')).toMatchObject({
      kind: 'RelayPool',
      metadata: { name: 'eu' },
      spec: { region: 'eu-north', port: 3478, fallback: { enabled: true, port: 5349 } },
      status: { observedGeneration: -1 },
    });
  });

  it.each([
    [aPool({ prot: 3478 }), '"spec.prot" is not a field', 'Write "spec.port" instead'],
    [aPool({ port: 'udp' }), 'spec.port="udp" is not a whole number', '3478'],
    [
      { ...aPool({}), kind: 'Pod', apiVersion: 'v1' },
      'v1 Pod is not a kind of ours',
      'sallyport.dev/v1alpha1 RelayPool',
    ],
  ])('is refused for %j with what to write instead', (object, problem, hint) => {
    const admit = () => schemas.admit(object, 'pool.yaml, document 1');
    expect(admit).toThrow(problem);
    expect(admit).toThrow(hint);
    expect(admit).toThrow('pool.yaml, document 1');
  });
});

describe('resource files', () => {
  it('are read in order, each document, with the default namespace', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-files-'));
    try {
      const pool = 'apiVersion: a/v1\nkind: A\nmetadata: {name: ';
      await writeFile(join(folder, 'b.yml'), `${pool}b, namespace: office}\n`);
      await writeFile(join(folder, 'a.yaml'), `${pool}a1}\n---\n---\n${pool}a2}\n`);
      await writeFile(join(folder, 'readme.md'), 'no');
      const read = await readResourceFiles([folder]);
      expect(
        read.map(({ object: { metadata } }) => `${metadata.namespace}/${metadata.name}`),
      ).toEqual(['default/a1', 'default/a2', 'office/b']);
      await writeFile(join(folder, 'c.yaml'), 'hello');
      await expect(readResourceFiles([folder])).rejects.toMatchObject({
        code: 'ERR_RESOURCE_FILE',
      });
    } finally {
      await rm(folder, { recursive: true });
    }
    await expect(readResourceFiles([folder])).rejects.toMatchObject({
      problem: expect.stringContaining('cannot be read'),
      hint: expect.stringContaining('Name an existing'),
    });
  });

  it('that are malformed are told from those that are missing, with the place', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-files-'));
    try {
      await writeFile(join(folder, 'a.yaml'), 'kind: A\nmetadata: name: b\n');
      await expect(readResourceFiles([folder])).rejects.toMatchObject({
        code: 'ERR_RESOURCE_FILE',
        problem: expect.stringMatching(/a\.yaml is not YAML: .*, line 2, column \d+\.$/),
        hint: expect.stringContaining('Correct the file at that place'),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
