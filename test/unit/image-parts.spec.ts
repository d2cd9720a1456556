import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { npmComponents, packagePath } from '../../config/tooling/image/components.js';
import { elfNeeds } from '../../config/tooling/image/elf.js';
import { imageFindings } from '../../config/tooling/image/inspect.js';
import { lockLine, parseLock } from '../../config/tooling/image/lock.js';
import { sbomText } from '../../config/tooling/image/sbom.js';
import { readTar, tarOf } from '../../config/tooling/image/tar.js';

const ROOT = join(import.meta.dirname, '../..');
const LOCK = readFileSync(join(ROOT, 'config/tooling/image/image.lock'), 'utf8');

describe('a tar archive', () => {
  const long = `${'a'.repeat(90)}/${'b'.repeat(90)}`;

  it('has its entries in the order of their bytes, below folders that root owns, at one time', () => {
    const files = [
      { path: 'b/c', bytes: Buffer.from('one'), executable: true },
      { path: 'B', bytes: Buffer.alloc(512, 'x') },
      { path: long, bytes: Buffer.alloc(0) },
    ];
    const archive = tarOf(files, 1_000);
    const found = readTar(archive).map(({ path, mode, uid, gid, mtime, bytes }) =>
      [path, mode.toString(8), uid, gid, mtime, bytes.length].join(' '),
    );
    expect(found).toEqual([
      'B 644 0 0 1000 512',
      `${'a'.repeat(90)}/ 755 0 0 1000 0`,
      `${long} 644 0 0 1000 0`,
      'b/ 755 0 0 1000 0',
      'b/c 755 0 0 1000 3',
    ]);
    expect(tarOf([...files].reverse(), 1_000).equals(archive)).toBe(true);
  });

  it('is the bytes that the standard asks for', () => {
    const header = tarOf([{ path: 'a', bytes: Buffer.from('hi') }], 0).subarray(0, 512);
    const fields = [
      header.subarray(0, 2).toString('hex'),
      header.subarray(100, 108).toString(),
      header.subarray(124, 136).toString(),
      header.subarray(148, 156).toString(),
      header.subarray(156, 157).toString(),
      header.subarray(257, 265).toString(),
    ];
    expect(fields).toEqual([
      '6100',
      '0000644\0',
      '00000000002\0',
      '007340\0 ',
      '0',
      'ustar\u000000',
    ]);
  });

  it('is refused with a path twice or one that fits nowhere', () => {
    const file = { path: 'a', bytes: Buffer.alloc(0) };
    expect(() => tarOf([file, file], 0)).toThrow(RangeError);
    expect(() => tarOf([{ ...file, path: 'a'.repeat(101) }], 0)).toThrow(RangeError);
  });

  it('that is none or cut short is refused when it is read', () => {
    const archive = tarOf([{ path: 'a', bytes: Buffer.alloc(600, 1) }], 0);
    expect(() => readTar(Buffer.alloc(512, 1))).toThrow('no tar archive');
    expect(() => readTar(archive.subarray(0, 1024))).toThrow('cut short');
  });
});

describe('image.lock', () => {
  it('is written as it is read', () => {
    const lines = LOCK.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(parseLock(LOCK).map(lockLine)).toEqual(lines);
  });

  it('has the same files for both platforms, and Node in the version of package-lock.json', () => {
    const files = parseLock(LOCK);
    const count = (platform: string) => files.filter((file) => file.platform === platform).length;
    expect(count('linux/amd64')).toBe(count('linux/arm64'));
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly version: string }>>;
    };
    for (const { registry, name, version } of files)
      if (registry === 'npm')
        expect([name, version]).toEqual([name, packages[`node_modules/${name}`]?.version]);
  });

  it('is refused with the number of a line that is none', () => {
    expect(() => parseLock('# ok\n\nlinux/amd64 elsewhere:a@1 b c d')).toThrow('image.lock line 3');
  });
});

describe('what an ELF file needs', () => {
  it('is read from Node itself', () => {
    const node = elfNeeds(readFileSync(process.execPath))!;
    expect(node.architecture).toBe(process.arch === 'x64' ? 'amd64' : process.arch);
    expect(node.libraries).toEqual(expect.arrayContaining(['libc.so.6', 'libstdc++.so.6']));
    expect(node.interpreter).toMatch(/^\/lib.*ld-linux/);
  });

  it('is nothing for what is no ELF file', () => {
    expect(elfNeeds(Buffer.from('#!/bin/sh\n'))).toBeUndefined();
    expect(elfNeeds(Buffer.alloc(64))).toBeUndefined();
  });
});

describe('what an image must not hold', () => {
  const found = (path: string, text = '') =>
    imageFindings([{ path, bytes: Buffer.from(text) }], 'linux/amd64', ['/home/somebody']);
  const secret = ['-----BEGIN PRIVATE', `KEY-----\n${'A'.repeat(64)}`].join(' ');

  it.each([
    ['a/b.js.map', '', 'is a source map'],
    ['a/b.spec.js', '', 'is a test'],
    ['a/test/b.js', '', 'is a test'],
    ['a/b.ts', '', 'is a source'],
    ['a/.npmrc', '', 'may be a secret'],
    ['a/tls.key', '', 'may be a secret'],
    ['bin/sh', '', 'is a shell'],
    ['a/b.js', secret, 'holds a private key'],
    ['a/b.js', '//# sourceMappingURL=b.js.map', 'names a source map'],
    ['a/b.js', `npm_${'a'.repeat(36)}`, 'holds an access token'],
    ['a/b.js', 'at /home/somebody/x', 'holds a path of the machine'],
  ])('%s with "%.20s" is found: it %s', (path, text, what) => {
    expect(found(path, text)).toEqual([expect.stringContaining(what)]);
  });

  it('is nothing that it needs', () => {
    expect(found('sallyport/dist/bin/relay.js', 'import "node:fs"')).toEqual([]);
  });

  it('is a program whose libraries are missing, and one of another processor', () => {
    const node = { path: 'usr/bin/node', bytes: readFileSync(process.execPath) };
    const here = process.arch === 'x64' ? 'amd64' : process.arch;
    const missing = imageFindings([node], `linux/${here}`, []);
    expect(missing).toContain('usr/bin/node needs libc.so.6, which is not in the image.');
    expect(imageFindings([node], 'linux/riscv64', [])).toContain(`usr/bin/node is for ${here}.`);
  });
});

describe('the packages of an image', () => {
  const lock = {
    'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '1' } },
    'node_modules/b': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '2.0.0', integrity: 'sha512-AAEC' },
    'node_modules/c': { version: '1.0.0', dev: true },
  };

  it('point at the versions that Node finds for them', () => {
    const paths = ['node_modules/a', 'node_modules/b', 'node_modules/a/node_modules/b'];
    expect(npmComponents(paths, lock)).toMatchObject([
      { purl: 'pkg:npm/a@1.0.0', dependsOn: ['pkg:npm/b@2.0.0'] },
      { purl: 'pkg:npm/b@1.0.0' },
      { purl: 'pkg:npm/b@2.0.0', sha512: '000102' },
    ]);
  });

  it('are refused when one is for development, or nobody locked it', () => {
    expect(() => npmComponents(['node_modules/c'], lock)).toThrow('for development');
    expect(() => npmComponents(['node_modules/d'], lock)).toThrow('not in package-lock.json');
  });

  it('are known by the paths of their files', () => {
    expect(packagePath('node_modules/a/node_modules/@b/c/lib/x.js')).toBe(
      'node_modules/a/node_modules/@b/c',
    );
    expect(packagePath('../x/node_modules/a/x.js')).toBe('node_modules/a');
    expect(packagePath('src/a.ts')).toBeUndefined();
  });

  it('give the same bill of materials twice, and another with another part', () => {
    const subject = {
      name: 's',
      version: '1.0.0',
      platform: 'linux/amd64',
      license: 'MIT',
      epochSeconds: 0,
      revision: 'a',
    };
    const components = npmComponents(['node_modules/a'], lock);
    expect(sbomText(subject, components)).toBe(sbomText(subject, components));
    const serial = (text: string) => (JSON.parse(text) as { serialNumber: string }).serialNumber;
    const one = serial(sbomText(subject, components));
    expect(one).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(serial(sbomText(subject, []))).not.toBe(one);
  });
});
