import { execFileSync } from 'node:child_process';

/** From which state of the sources something is made. */
export interface Revision {
  /** Hash of the commit; with `-dirty` where files differ from it; `unknown` outside of a checkout. */
  readonly commit: string;
  /** Time of the commit, or what SOURCE_DATE_EPOCH says (reproducible-builds.org), in seconds since 1970. */
  readonly epochSeconds: number;
}

/** @throws Error outside of a checkout, if SOURCE_DATE_EPOCH is not set either */
export function revisionOf(root: string, sourceDateEpoch: string | undefined): Revision {
  const git = (...words: string[]) =>
    execFileSync('git', words, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  const given = sourceDateEpoch === undefined ? undefined : Number(sourceDateEpoch);
  if (given !== undefined && !(Number.isSafeInteger(given) && given >= 0))
    throw new Error('SOURCE_DATE_EPOCH is not a number of seconds since 1970.');
  try {
    const [commit = '', time] = git('log', '-1', '--format=%H %ct').split(' ');
    const dirty = git('status', '--porcelain') === '' ? '' : '-dirty';
    return { commit: `${commit}${dirty}`, epochSeconds: given ?? Number(time) };
  } catch (cause) {
    if (given !== undefined) return { commit: 'unknown', epochSeconds: given };
    throw new Error('This is no git checkout: set SOURCE_DATE_EPOCH to the time of the release.', {
      cause,
    });
  }
}
