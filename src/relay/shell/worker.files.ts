import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a thread is started with. */
export interface WorkerProgram {
  readonly script: URL;
  /** Node options of the thread; absent: those of the process. */
  readonly execArgv?: readonly string[];
}

/** In the bundle beside this file; else in this folder or the packet worker's, built or as sources. */
const PLACES = ['./NAME.js', '../packet/NAME.js', './NAME.ts', '../packet/NAME.ts'] as const;

/**
 * The program of the thread called `name` (`packet.worker`): from the bundle, from the build or from the sources,
 * whichever this process runs from.
 * @throws Error if it is nowhere: the build is incomplete
 */
export function workerProgram(name: 'packet.worker' | 'fallback.worker'): WorkerProgram {
  const urls = PLACES.map((place) => new URL(place.replace('NAME', name), import.meta.url));
  const script = urls.find((url) => existsSync(fileURLToPath(url)));
  if (!script) throw new Error(`${name} is not beside ${import.meta.url}`);
  return script.pathname.endsWith('.ts') ? { script, execArgv: ['--import', 'tsx'] } : { script };
}
