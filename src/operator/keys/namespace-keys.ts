import type { Child } from '../../kubernetes/cluster.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { caConfigMap, planCa } from './ca.js';
import type { CaOrder } from './orders.js';

export interface NamespaceKeysInput {
  readonly namespace: string;
  /** Whether any resource of ours is in the namespace. */
  readonly inUse: boolean;
  /** Secret and ConfigMap `sallyport-ca` as the cache shows them. */
  readonly secret: Child | undefined;
  readonly configMap: Child | undefined;
  readonly now: Date;
}

export interface NamespaceKeysPlan {
  readonly order?: CaOrder;
  /** To be applied: it is missing, or says something else than the CA's Secret. */
  readonly configMap?: KubernetesObject;
  /** To be deleted: nobody in this namespace needs them any more. */
  readonly leftovers: readonly Child[];
  readonly nextAt?: Date;
}

/** What the CA of a namespace and its public copy need now. */
export function planNamespaceKeys(input: NamespaceKeysInput): NamespaceKeysPlan {
  const { namespace, inUse, secret, configMap, now } = input;
  if (!inUse) return { leftovers: leftovers([secret, configMap]) };
  const { facts, order, nextAt } = planCa({ namespace, secret, now });
  const wanted = caConfigMap(namespace, facts);
  const stands = configMap?.ownedHash === desiredHash(wanted);
  return {
    ...(order === undefined ? {} : { order }),
    // What is about to be replaced is not published again.
    ...(stands || order !== undefined || facts.length === 0 ? {} : { configMap: wanted }),
    leftovers: [],
    ...(nextAt === undefined ? {} : { nextAt }),
  };
}

function leftovers(children: readonly (Child | undefined)[]): readonly Child[] {
  return children.flatMap((child) =>
    child === undefined || child.deletionTimestamp !== undefined ? [] : [child],
  );
}
