import type { CryptoBackend } from '../protocol/crypto-backend.js';
import { firstWrongAnswer } from './known-answers.js';
import { nobleBackend } from './noble.backend.js';
import { nodeBackend } from './node.backend.js';
import { loadSodiumBackend } from './sodium.backend.js';

/** A back end that may be chosen. `load` throws if it is not there. */
export interface BackendCandidate {
  readonly name: CryptoBackend['name'];
  readonly load: () => CryptoBackend;
}

/** The back end of this process. `backend.name` is the metric label; `reason` is for the log and names no secret. */
export interface ChosenBackend {
  readonly backend: CryptoBackend;
  readonly reason: string;
}

/** Fastest first. */
export const CANDIDATES: readonly BackendCandidate[] = [
  { name: 'sodium', load: loadSodiumBackend },
  { name: 'node', load: () => nodeBackend },
  { name: 'noble', load: () => nobleBackend },
];

/**
 * The first of `candidates` that loads and gives the published answers, and why the ones before it did not. It takes
 * some milliseconds: call it once per process.
 * @throws Error if none does: then no secret of this process can be kept.
 */
export function chooseBackend(candidates: readonly BackendCandidate[] = CANDIDATES): ChosenBackend {
  const passedOver: string[] = [];
  for (const { name, load } of candidates) {
    const backend = loaded(load);
    const problem = typeof backend === 'string' ? backend : wrongAnswerOf(backend);
    if (typeof backend !== 'string' && problem === undefined)
      return { backend, reason: [...passedOver, `${name} gives the published answers`].join('; ') };
    passedOver.push(`${name} ${problem ?? ''}`);
  }
  throw new Error(`no cryptographic back end works: ${passedOver.join('; ')}`);
}

function wrongAnswerOf(backend: CryptoBackend): string | undefined {
  const primitive = firstWrongAnswer(backend);
  return primitive && `lacks ${primitive} or gets it wrong`;
}

/** The code alone: messages of the module loader hold paths of this machine. */
function loaded(load: () => CryptoBackend): CryptoBackend | string {
  try {
    return load();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
    return `cannot be loaded (${code})`;
  }
}
