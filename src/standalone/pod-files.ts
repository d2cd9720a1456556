/*
 * The files of a pod as a folder of this machine. ConfigMaps and Secrets stay as they are, except that text which names
 * a place inside the pod names the place here instead: mounted paths, and listeners that would take every address of the
 * pod take its loopback address. A host that is the name of a Service gets its address beside it.
 */
import type { KubernetesObject } from '../kubernetes/object.js';
import type { Pod, Projection, Volume } from './pods.js';

/** Where a pod lives on this machine. */
export interface PodPlace {
  /** Absolute folder of its volumes. */
  readonly volumes: string;
  /** Absolute folder of claims, which outlive pods. */
  readonly claims: string;
  readonly address: string;
  /** Addresses by DNS name of a Service (`NAME.NAMESPACE.svc`). */
  readonly services: ReadonlyMap<string, string>;
}

/** The files of one projected volume. */
export interface VolumeFiles {
  readonly volume: string;
  /** Octal permissions of every file. */
  readonly mode: number;
  /** Content by file name. The bytes are the caller's to write and to forget. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Everything that a pod mounts; `missing` names what must exist first. */
export interface PodFiles {
  readonly projected: readonly VolumeFiles[];
  readonly missing: readonly string[];
}

const encoder = new TextEncoder();

/** The local folder of each mounted path of `pod`, longest path first. */
export function localPaths(pod: Pod, place: PodPlace): readonly (readonly [string, string])[] {
  const byName = new Map(pod.volumes.map((volume) => [volume.name, volume]));
  return (pod.container.volumeMounts ?? [])
    .flatMap(({ name, mountPath }) => {
      const volume = byName.get(name);
      return volume === undefined ? [] : [[mountPath, folderOf(volume, place)] as const];
    })
    .sort(([a], [b]) => b.length - a.length);
}

/** Folder of a volume. */
export function folderOf({ name, persistentVolumeClaim }: Volume, place: PodPlace): string {
  return persistentVolumeClaim === undefined
    ? `${place.volumes}/${name}`
    : `${place.claims}/${persistentVolumeClaim.claimName}`;
}

/** `path` on this machine, if it lies below a mount. */
export function localPath(text: string, paths: readonly (readonly [string, string])[]): string {
  for (const [mounted, local] of paths) {
    if (text === mounted) return local;
    if (text.startsWith(`${mounted}/`)) return local + text.slice(mounted.length);
  }
  return text;
}

/** The files of `pod`, from the `objects` of its namespace. */
export function podFiles(
  pod: Pod,
  find: (kind: 'ConfigMap' | 'Secret', name: string) => KubernetesObject | undefined,
  place: PodPlace,
): PodFiles {
  const paths = localPaths(pod, place);
  const localize = (bytes: Uint8Array): Uint8Array => localJson(bytes, { paths, place });
  const missing: string[] = [];
  const projected = pod.volumes.flatMap((volume): VolumeFiles[] => {
    const source = sourceOf(volume);
    if (source === undefined) return [];
    const object = find(source.kind, source.name);
    if (object === undefined && source.projection.optional !== true)
      missing.push(`${source.kind} ${source.name}`);
    const files = projectedFiles(object, source.projection);
    const local = source.kind === 'ConfigMap' ? mapValues(files, localize) : files;
    return [{ volume: volume.name, mode: source.projection.defaultMode ?? 0o644, files: local }];
  });
  return { projected, missing };
}

interface Source {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly projection: Projection;
}

function sourceOf({ configMap, secret }: Volume): Source | undefined {
  if (configMap !== undefined)
    return { kind: 'ConfigMap', name: configMap.name, projection: configMap };
  if (secret !== undefined) return { kind: 'Secret', name: secret.secretName, projection: secret };
  return undefined;
}

/** As a kubelet does it: every key, or the named ones. */
function projectedFiles(
  object: KubernetesObject | undefined,
  { items }: Projection,
): Map<string, Uint8Array> {
  const data = (object?.['data'] ?? {}) as Readonly<Record<string, string>>;
  const named = items ?? Object.keys(data).map((key) => ({ key, path: key }));
  const files = new Map<string, Uint8Array>();
  for (const { key, path } of named) {
    const value = data[key];
    if (value === undefined) continue;
    files.set(path, object?.kind === 'Secret' ? fromBase64(value) : encoder.encode(value));
  }
  return files;
}

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

interface Where {
  readonly paths: readonly (readonly [string, string])[];
  readonly place: PodPlace;
}

/** JSON with the places of this machine; text that is no JSON stays as it is, byte for byte. */
function localJson(bytes: Uint8Array, where: Where): Uint8Array {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return bytes;
  }
  if (typeof value !== 'object' || value === null) return bytes;
  return encoder.encode(`${JSON.stringify(localValue(value, where), null, 2)}\n`);
}

function localValue(value: unknown, where: Where): unknown {
  if (typeof value === 'string') return localPath(value, where.paths);
  if (Array.isArray(value)) return value.map((item: unknown) => localValue(item, where));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => {
    const local = localValue(member, where);
    return [name, name === 'listeners' ? onLoopback(local, where.place.address) : local];
  });
  const local = Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
  return withAddress(local, where.place.services);
}

/** Who dials a Service by its name gets the address beside it: certificates show the name. */
function withAddress(object: object, services: ReadonlyMap<string, string>): object {
  const { host } = object as { host?: unknown };
  const address = typeof host === 'string' ? services.get(host) : undefined;
  return address === undefined ? object : { ...object, address };
}

/** Listeners of every address listen on the pod's own: another pod has the same ports. */
function onLoopback(listeners: unknown, address: string): unknown {
  if (typeof listeners !== 'object' || listeners === null) return listeners;
  const entries = Object.entries(listeners).map(([name, listener]: [string, unknown]) => {
    const { addresses } = listener as { addresses?: unknown }; // Settings of ours: listeners are objects.
    const everywhere = Array.isArray(addresses) && addresses.length === 0;
    return [name, everywhere ? { ...(listener as object), addresses: [address] } : listener];
  });
  return Object.fromEntries(entries);
}

function mapValues(
  files: ReadonlyMap<string, Uint8Array>,
  change: (bytes: Uint8Array) => Uint8Array,
): ReadonlyMap<string, Uint8Array> {
  return new Map([...files].map(([name, bytes]) => [name, change(bytes)]));
}

/** The command line of a container with its variables filled in and its paths on this machine. */
export function commandLine(pod: Pod, place: PodPlace): readonly string[] {
  const { command = [], args = [] } = pod.container;
  const paths = localPaths(pod, place);
  const environment = environmentOf(pod, place);
  return [...command, ...args].map((word) => localPath(expand(word, environment), paths));
}

/** The environment that the template declares; nothing of this machine's is in it. */
export function environmentOf(pod: Pod, place: PodPlace): ReadonlyMap<string, string> {
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': pod.name,
    'metadata.namespace': pod.namespace,
    'status.podIP': place.address,
    'spec.nodeName': 'localhost',
  };
  return new Map(
    (pod.container.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ''] ?? '',
    ]),
  );
}

/** `$(NAME)` as Kubernetes expands it: an unknown name stays as it is. */
function expand(word: string, environment: ReadonlyMap<string, string>): string {
  return word.replace(
    /\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g,
    (all, name: string) => environment.get(name) ?? all,
  );
}
