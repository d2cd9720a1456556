import type { Volume, VolumeItem } from './shapes.js';
import { canonicalQuantity } from './quantity.js';

/** 0440: readable by user and group of the pod (fsGroup), writable by nobody. Catalogue S176. */
export const SECRET_MODE = 0o440;
/** 0444: public settings. */
export const CONFIG_MODE = 0o444;

export interface MountedObject {
  /** Name of the volume in the pod. */
  readonly volume: string;
  /** Name of the Secret or ConfigMap. */
  readonly name: string;
  /** Only these keys, as these files; absent: every key. */
  readonly items?: readonly VolumeItem[];
  /** The pod starts without it and sees it when it comes. */
  readonly optional?: boolean;
}

/** A Secret as files of mode 0440. One stable name, so that a rotation reaches the pod without a restart. */
export function secretVolume({ volume, name, items, optional }: MountedObject): Volume {
  const secret = { secretName: name, defaultMode: SECRET_MODE, ...details(items, optional) };
  return { name: volume, secret };
}

/** A ConfigMap as files of mode 0444. */
export function configMapVolume({ volume, name, items, optional }: MountedObject): Volume {
  return {
    name: volume,
    configMap: { name, defaultMode: CONFIG_MODE, ...details(items, optional) },
  };
}

/** An empty folder that lives with the pod and may hold at most `sizeLimit`. */
export function emptyDirVolume(volume: string, sizeLimit: string): Volume {
  return { name: volume, emptyDir: { sizeLimit: canonicalQuantity(sizeLimit) } };
}

/** A PersistentVolumeClaim of the pod's namespace. */
export function claimVolume(volume: string, claimName: string): Volume {
  return { name: volume, persistentVolumeClaim: { claimName } };
}

function details(items: readonly VolumeItem[] | undefined, optional: boolean | undefined) {
  return {
    ...(optional === undefined ? {} : { optional }),
    ...(items === undefined || items.length === 0
      ? {}
      : { items: items.map(({ key, path }) => ({ key, path })) }),
  };
}
