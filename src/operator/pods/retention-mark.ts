import type { Child } from '../../kubernetes/cluster.js';
import type { MergedRetention } from '../../policy/retention.js';
import { restartDigest } from './objects.js';

/** On a gateway's settings: digest of the retention in them, because the cache keeps no data of a ConfigMap. */
const ANNOTATION_RETENTION = 'sallyport.dev/retention';

/** What the room of gateways writes on the ConfigMap whose settings carry `retention`. */
export function retentionMark(retention: MergedRetention): Readonly<Record<string, string>> {
  return { [ANNOTATION_RETENTION]: restartDigest(retention) };
}

/** Whether `settings`, a gateway's ConfigMap, carries `retention`. */
export function carriesRetention(settings: Child | undefined, retention: MergedRetention): boolean {
  return settings?.annotations[ANNOTATION_RETENTION] === restartDigest(retention);
}
