import { list, podsIn, text } from '../hardening/pods.js';

/** A Secret (or some of its files) in a container. */
export interface KeyMount {
  /** `namespace/workload container` */
  readonly where: string;
  readonly secret: string;
  /** Files that are mounted, sorted; absent: all. */
  readonly files?: readonly string[];
}

/** Who mounts which Secret: every container of every rendered pod, sorted. */
export function keyMounts(objects: readonly unknown[]): readonly KeyMount[] {
  return podsIn(objects)
    .flatMap(({ where, spec }) => {
      const secrets = new Map(
        list(spec['volumes'])
          .filter(({ secret }) => secret !== undefined)
          .map((volume) => [text(volume['name']), list([volume['secret']])[0] ?? {}]),
      );
      const containers = [...list(spec['containers']), ...list(spec['initContainers'])];
      return containers.flatMap((container) =>
        list(container['volumeMounts']).flatMap((mount): KeyMount[] => {
          const secret = secrets.get(text(mount['name']));
          if (secret === undefined) return [];
          const items = list(secret['items']).map(({ key }) => text(key));
          return [
            {
              where: `${where.replace(/^\S+ /, '')} ${text(container['name'])}`,
              secret: text(secret['secretName']),
              ...(items.length === 0 ? {} : { files: items.sort() }),
            },
          ];
        }),
      );
    })
    .sort((a, b) => `${a.where} ${a.secret}`.localeCompare(`${b.where} ${b.secret}`));
}
