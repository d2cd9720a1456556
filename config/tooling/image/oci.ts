/*
 * An image as the OCI image format 1.1 describes it, in a tar archive of its layout: blobs named by their SHA-256, an index
 * that says where to begin. containerd, docker, buildah and registries' tools load it as it is.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarOf, type TarFile } from './tar.js';

const TYPE = 'application/vnd.oci.image';

/** A blob and what refers to it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One image of one platform. */
export interface PlatformImage {
  readonly manifest: Descriptor;
  /** By digest; the manifest's own is among them. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly unpackedBytes: number;
}

/** What goes into the configuration of an image. */
export interface ImageFacts {
  readonly platform: string;
  readonly epochSeconds: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** One layer, before it is packed. */
export interface Layer {
  readonly files: readonly TarFile[];
  readonly comment: string;
  readonly mtimeSeconds: number;
}

/** User and group of every process, as the operator writes it into pods. */
const USER = '65532:65532';

/** Makes the image. `layers` begins with the lowest. */
export function platformImage(facts: ImageFacts, layers: readonly Layer[]): PlatformImage {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const packed = layers.map(({ files, mtimeSeconds }) => {
    const tar = tarOf(files, mtimeSeconds);
    const layer = add(`${TYPE}.layer.v1.tar+gzip`, gzipSync(tar, { level: 6 }));
    return { layer, diffId: digestOf(tar) };
  });
  const diffIds = packed.map(({ diffId }) => diffId);
  const config = add(`${TYPE}.config.v1+json`, jsonBytes(configOf(facts, layers, diffIds)));
  const manifest = add(
    `${TYPE}.manifest.v1+json`,
    jsonBytes({
      schemaVersion: 2,
      mediaType: `${TYPE}.manifest.v1+json`,
      config,
      layers: packed.map(({ layer }) => layer),
    }),
  );
  const sizes = layers.flatMap(({ files }) => files.map(({ bytes }) => bytes.length));
  return {
    manifest: { ...manifest, platform: platformOf(facts.platform) },
    blobs,
    unpackedBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

function configOf(facts: ImageFacts, layers: readonly Layer[], diffIds: readonly string[]): object {
  const created = new Date(facts.epochSeconds * 1000).toISOString();
  return {
    created,
    ...platformOf(facts.platform),
    config: {
      User: USER,
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['node', 'dist/bin/sallyport.js'],
      WorkingDir: '/sallyport',
      Labels: facts.labels,
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map(({ comment }) => ({ created, created_by: 'npm run image', comment })),
  };
}

function platformOf(platform: string): object {
  const [os, architecture] = platform.split('/');
  return { architecture, os, ...(architecture === 'arm64' ? { variant: 'v8' } : {}) };
}

/**
 * The archive and the digest by which a registry will know the image: that of its manifest, or with several platforms that
 * of the index over them.
 */
export function ociArchive(
  images: readonly PlatformImage[],
  name: { readonly repository: string; readonly tag: string },
): { readonly archive: Buffer; readonly digest: string } {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  const manifests = images.map(({ manifest }) => manifest);
  const top = manifests.length === 1 ? manifests[0]! : indexOver(manifests, blobs);
  const annotations = {
    'io.containerd.image.name': `${name.repository}:${name.tag}`,
    'org.opencontainers.image.ref.name': name.tag,
  };
  const index = jsonBytes({
    schemaVersion: 2,
    mediaType: `${TYPE}.index.v1+json`,
    manifests: [{ ...top, annotations }],
  });
  const files = [...blobs].map(([digest, bytes]) => ({
    path: `blobs/${digest.replace(':', '/')}`,
    bytes,
  }));
  const layout = { path: 'oci-layout', bytes: jsonBytes({ imageLayoutVersion: '1.0.0' }) };
  const archive = tarOf([...files, layout, { path: 'index.json', bytes: index }], 0);
  return { archive, digest: top.digest };
}

function indexOver(manifests: readonly Descriptor[], blobs: Map<string, Buffer>): Descriptor {
  const mediaType = `${TYPE}.index.v1+json`;
  const bytes = jsonBytes({ schemaVersion: 2, mediaType, manifests });
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const jsonBytes = (value: object): Buffer => Buffer.from(JSON.stringify(value));
