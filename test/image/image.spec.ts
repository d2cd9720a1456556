import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elfNeeds } from '../../config/tooling/image/elf.js';
import { imageFindings, MAX_UNPACKED_BYTES } from '../../config/tooling/image/inspect.js';
import { INSTALL_SCRIPTS } from '../../config/tooling/supply/rules.js';
import { Archive, ROOT, copyOfCheckout, makeImage, openFolder, type Unpacked } from './bed.js';

const BUILD_MS = 240_000;
const VERSION = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
).version;
const NAME = `sallyport-${VERSION}.oci.tar`;

let folder: string;
let first: string;
let second: string;
let archive: Archive;
let amd64: Unpacked;

beforeAll(() => {
  folder = openFolder();
  // The second differs in everything but the sources: place, time zone, language, umask, home.
  const checkout = copyOfCheckout(folder);
  const other = copyOfCheckout(folder);
  const made = makeImage(checkout, { platforms: ['linux/amd64', 'linux/arm64'] });
  expect([made.status, made.output]).toEqual([0, expect.any(String)]);
  first = join(made.folder, NAME);
  const again = makeImage(other, {
    platforms: ['linux/amd64', 'linux/arm64'],
    umask: '077',
    env: { TZ: 'Pacific/Auckland', LC_ALL: 'C', HOSTNAME: 'elsewhere' },
  });
  expect([again.status, again.output]).toEqual([0, expect.any(String)]);
  second = join(again.folder, NAME);
  archive = new Archive(first);
  amd64 = archive.unpack('amd64');
}, BUILD_MS);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const filesOf = ({ entries }: Unpacked) => entries.filter(({ path }) => !path.endsWith('/'));
const pathsOf = (image: Unpacked) => filesOf(image).map(({ path }) => path);

describe('the image', () => {
  it('is the same bytes when it is made twice from the same sources in two folders', () => {
    expect(sha256(readFileSync(second))).toBe(sha256(readFileSync(first)));
  });

  it('is an OCI layout whose blobs are what their names say', () => {
    expect(archive.json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const blobs = archive.names.filter((name) => /^blobs\/sha256\/./.test(name));
    for (const name of blobs) {
      const digest = name.replace('blobs/sha256/', 'sha256:');
      expect(sha256(archive.blob(digest))).toBe(digest);
    }
    expect(archive.top.annotations).toEqual({
      'io.containerd.image.name': `registry.example.com/sallyport:${VERSION}`,
      'org.opencontainers.image.ref.name': VERSION,
    });
    const summary = JSON.parse(readFileSync(join(first, '../image.json'), 'utf8')) as object;
    expect(summary).toMatchObject({ digest: archive.top.digest });
    expect(amd64.layers.map(sha256)).toEqual(amd64.config.rootfs.diff_ids);
  });

  it('holds both platforms, each with machine code of its own only', () => {
    const platforms = archive.manifests.map(({ platform }) => platform?.architecture);
    expect(platforms).toEqual(['amd64', 'arm64']);
    for (const architecture of ['amd64', 'arm64']) {
      const files = filesOf(archive.unpack(architecture));
      const machines = files.flatMap(({ bytes }) => elfNeeds(bytes)?.architecture ?? []);
      expect(machines.length).toBeGreaterThan(8);
      expect(new Set(machines)).toEqual(new Set([architecture]));
    }
  });

  it('runs as 65532 by itself, from a folder that root owns and nobody else may write', () => {
    expect(amd64.config.config).toMatchObject({
      User: '65532:65532',
      WorkingDir: '/sallyport',
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['node', 'dist/bin/sallyport.js'],
    });
    const owners = amd64.entries.map(({ uid, gid }) => [uid, gid]);
    expect(owners.every(([uid, gid]) => uid === 0 && gid === 0)).toBe(true);
    expect(amd64.entries.filter(({ mode }) => (mode & 0o7022) !== 0)).toEqual([]);
    const executables = filesOf(amd64).filter(({ mode }) => (mode & 0o111) !== 0);
    expect(executables.map(({ path }) => path).sort()).toEqual([
      'lib64/ld-linux-x86-64.so.2',
      'usr/bin/node',
    ]);
  });

  it('says in its labels what it is and from which commit', () => {
    expect(amd64.config.config.Labels).toEqual({
      'org.opencontainers.image.created': '2025-11-22T08:26:40.000Z',
      'org.opencontainers.image.description': expect.any(String),
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.revision': expect.stringMatching(
        /^([0-9a-f]{40}(-dirty)?|unknown)$/,
      ),
      'org.opencontainers.image.title': 'sallyport',
      'org.opencontainers.image.version': VERSION,
    });
  });

  it('is at most 190 MB unpacked on each platform', () => {
    for (const architecture of ['amd64', 'arm64']) {
      const sizes = filesOf(archive.unpack(architecture)).map(({ bytes }) => bytes.length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      process.stdout.write(
        `image linux/${architecture}: ${(total / 1e6).toFixed(1)} MB unpacked\n`,
      );
      expect(total).toBeLessThanOrEqual(MAX_UNPACKED_BYTES);
    }
  });

  it('holds no source map, test, source, secret, shell or path of this machine', () => {
    expect(imageFindings(filesOf(amd64), 'linux/amd64', [ROOT, folder, homedir()])).toEqual([]);
    // Asked here in other words than where the image is made.
    const paths = pathsOf(amd64);
    expect(paths.filter((path) => /\.map$|\.ts$|spec|\btest/.test(path))).toEqual([]);
    expect(
      paths.filter((path) => /(^|\/)(etc\/(passwd|shadow|group)|tmp|root|home)\//.test(path)),
    ).toEqual([]);
    expect(paths.filter((path) => path.startsWith('usr/bin/'))).toEqual(['usr/bin/node']);
    expect(paths.filter((path) => path.startsWith('etc/'))).toEqual(['etc/nsswitch.conf']);
  });

  it('holds no package for development, and none that runs when it is installed except koffi', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
    };
    const inside = new Set(
      pathsOf(amd64).flatMap(
        (path) => /^sallyport\/(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
      ),
    );
    expect(inside.size).toBeGreaterThan(5);
    expect([...inside].filter((name) => packages[name]?.dev !== undefined)).toEqual([]);
    const scripted = Object.keys(INSTALL_SCRIPTS).filter((name) =>
      inside.has(`node_modules/${name}`),
    );
    expect(scripted).toEqual(['koffi']);
  });

  it('shares the layer with Node between releases: that one knows neither commit nor version', () => {
    const [runtime, application] = amd64.layers;
    const times = new Set(amd64.entries.map(({ mtime }) => mtime));
    expect([...times]).toEqual([499_162_500, 1_763_800_000]);
    expect(runtime!.length).toBeGreaterThan(5 * application!.length);
  });
});

describe('an image that may not be made', () => {
  it(
    'names the line of image.lock whose library is another one',
    () => {
      const checkout = copyOfCheckout(folder);
      const lock = join(checkout, 'config/tooling/image/image.lock');
      const lines = readFileSync(lock, 'utf8').split('\n');
      const at = lines.findIndex((line) => /amd64 .*sodium-native\.node /.test(line));
      lines[at] = lines[at]!.replace(/[0-9a-f]{64}$/, 'a'.repeat(64));
      writeFileSync(lock, lines.join('\n'));
      const { status, output, folder: made } = makeImage(checkout);
      expect(status).toBe(1);
      expect(output).toContain(`image.lock line ${at + 1}: ${lines[at]}`);
      expect(output).toContain('npm run image -- --update-lock');
      expect(existsSync(join(made, 'image.json'))).toBe(false);
    },
    BUILD_MS,
  );

  it('is refused for a platform that image.lock does not have', () => {
    const { status, output } = makeImage(ROOT, { platforms: ['linux/riscv64'] });
    expect([status, output]).toEqual([
      1,
      'There is no image for linux/riscv64. Write one of linux/amd64, linux/arm64.\n',
    ]);
  });
});
