import { parentPort, workerData } from 'node:worker_threads';
import { fuzzOne } from './session-fuzz.js';

/** What the thread is started with. */
export interface FuzzShare {
  readonly decoders: readonly string[];
  readonly runs: number;
}

const { decoders, runs } = workerData as FuzzShare; // What session.bench.ts gives it.
for (const decoder of decoders) parentPort?.postMessage(fuzzOne(decoder, runs));
