import type { Metrics } from '../../runtime/metrics.js';
import { STORAGE_REASONS, type StorageReason } from '../store.js';

const OUTCOMES = ['success', 'failure'] as const;

/** What the store tells whoever counts. */
export interface StoreCounts {
  /** A call was refused. */
  unavailable(reason: StorageReason): void;
  /** A secret of a second factor was sealed or opened, or could not be. */
  sealed(outcome: (typeof OUTCOMES)[number]): void;
}

/** For whoever does not count. */
export const NO_COUNTS: StoreCounts = { unavailable: () => undefined, sealed: () => undefined };

/** Declares the counters of the store, each series at 0. */
export function storeCounts(metrics: Metrics): StoreCounts {
  const refused = metrics.counter({
    name: 'sallyport_gateway_storage_unavailable_total',
    help: 'Calls that the database did not answer, by why; each was refused, and nothing of it happened.',
    labelNames: ['reason'],
  });
  const operations = metrics.counter({
    name: 'sallyport_encryption_operations_total',
    help: 'Secrets of second factors that were sealed or opened, by outcome.',
    labelNames: ['outcome'],
  });
  for (const reason of STORAGE_REASONS) refused.inc({ reason }, 0);
  for (const outcome of OUTCOMES) operations.inc({ outcome }, 0);
  return {
    unavailable: (reason) => {
      refused.inc({ reason });
    },
    sealed: (outcome) => {
      operations.inc({ outcome });
    },
  };
}
