/*
 * A container image of single files, as an OCI layout in one archive, which `ctr images import` takes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What is in an image, and what it does. */
export interface TestImage {
  /** Name with a tag, such as `pause.test/pause:1`. */
  readonly name: string;
  /** Files of this machine by their absolute path in the image. All may be run. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
}

/** Writes the archive of `image` to `archive`. `scratch` is a folder that it may fill and that it removes. */
export function writeImageArchive(image: TestImage, archive: string, scratch: string): void {
  const root = join(scratch, 'root');
  const layout = join(scratch, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  for (const [path, source] of Object.entries(image.files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(source, join(root, path));
  }
  const put = (content: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(blobs, hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  execFileSync('tar', ['-C', root, '--mode=0755', '-cf', join(scratch, 'layer'), '.']);
  const layer = put(readFileSync(join(scratch, 'layer')), 'application/vnd.oci.image.layer.v1.tar');
  const config = put(
    json({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Entrypoint: image.entrypoint },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
    'application/vnd.oci.image.config.v1+json',
  );
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(json({ schemaVersion: 2, mediaType: type, config, layers: [layer] }), type);
  const annotations = { 'io.containerd.image.name': image.name };
  writeFileSync(
    join(layout, 'index.json'),
    json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  execFileSync('tar', ['-C', layout, '-cf', archive, '.']);
  rmSync(scratch, { recursive: true });
}
