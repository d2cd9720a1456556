/*
 * Images made from copies of this checkout, and what is in them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readTar, type TarEntry } from '../../config/tooling/image/tar.js';

/** The checkout. */
export const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');

/** A copy of all files that git knows or would add, in a folder of its own below `parent`. */
export function copyOfCheckout(parent: string): string {
  const list = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  const folder = mkdtempSync(join(parent, 'checkout-'));
  for (const name of list.split('\0').filter((each) => existsSync(join(ROOT, each)))) {
    if (name === '') continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(ROOT, name), join(folder, name));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** How an image is made where things differ from one machine to another. */
export interface Circumstances {
  readonly platforms?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly umask?: string;
}

/** What came of `npm run image`. */
export interface Made {
  readonly status: number | null;
  readonly output: string;
  /** dist/image of that checkout. */
  readonly folder: string;
}

/** Makes an image in `checkout`. The commit is that of this repository, whatever that folder is. */
export function makeImage(
  checkout: string,
  { platforms = ['linux/amd64'], env = {}, umask = '022' }: Circumstances = {},
): Made {
  const words = platforms.flatMap((platform) => ['--platform', platform]);
  const run = spawnSync(
    'sh',
    ['-c', `umask ${umask}; exec tsx config/tooling/image.ts "$@"`, 'sh', ...words],
    {
      cwd: checkout,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${BIN}${delimiter}${process.env['PATH'] ?? ''}`,
        SOURCE_DATE_EPOCH: '1763800000',
        ...env,
      },
    },
  );
  return {
    status: run.status,
    output: `${run.stdout}${run.stderr}`,
    folder: join(checkout, 'dist/image'),
  };
}

/** A folder for tests that everybody may pass through, as the programs run as somebody else. */
export function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-image-'));
  chmodSync(folder, 0o755);
  return folder;
}

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

/** One platform's image as a runtime sees it. */
export interface Unpacked {
  readonly config: {
    readonly architecture: string;
    readonly config: Readonly<Record<string, unknown>> & {
      readonly Labels: Readonly<Record<string, string>>;
    };
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  /** Files and folders of all layers, lower ones first. */
  readonly entries: readonly TarEntry[];
  readonly layers: readonly Buffer[];
}

/** An archive as its reader finds it. */
export class Archive {
  readonly #files: ReadonlyMap<string, Buffer>;
  readonly names: readonly string[];

  constructor(path: string) {
    const entries = readTar(readFileSync(path));
    this.names = entries.map((entry) => entry.path);
    this.#files = new Map(entries.map((entry) => [entry.path, entry.bytes]));
  }

  json<Value>(path: string): Value {
    return JSON.parse(this.#files.get(path)!.toString('utf8')) as Value;
  }

  blob(digest: string): Buffer {
    return this.#files.get(`blobs/${digest.replace(':', '/')}`)!;
  }

  /** What index.json names first: a manifest, or an index over several. */
  get top(): Descriptor {
    return this.json<{ manifests: [Descriptor] }>('index.json').manifests[0];
  }

  /** The manifests in it, one a platform. */
  get manifests(): readonly Descriptor[] {
    const { mediaType, digest } = this.top;
    if (!mediaType.includes('index')) return [this.top];
    return (JSON.parse(this.blob(digest).toString()) as { manifests: Descriptor[] }).manifests;
  }

  unpack(architecture: string): Unpacked {
    const { digest } = this.manifests.find(
      ({ platform }) => platform?.architecture === architecture,
    )!;
    const manifest = JSON.parse(this.blob(digest).toString()) as {
      config: Descriptor;
      layers: Descriptor[];
    };
    const layers = manifest.layers.map((layer) => gunzipSync(this.blob(layer.digest)));
    return {
      config: JSON.parse(this.blob(manifest.config.digest).toString()) as Unpacked['config'],
      entries: layers.flatMap((layer) => readTar(layer)),
      layers,
    };
  }
}

/** Writes an image to disk, as a runtime does before it starts a container. */
export function writeRoot({ entries }: Unpacked, folder: string): void {
  for (const { path, mode, bytes } of entries) {
    const target = join(folder, path);
    if (path.endsWith('/')) mkdirSync(target, { recursive: true });
    else writeFileSync(target, bytes);
    chmodSync(target, mode);
  }
}
