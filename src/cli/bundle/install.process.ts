/*
 * Bringing a release into a cluster with the programs that are there for it: ctr puts the image into containerd, helm
 * installs or upgrades the chart and takes the upgrade back by itself if it does not become ready.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ActionableError } from '../../runtime/errors.js';
import type { BundleManifest } from './manifest.js';

/** What is done besides unpacking. */
export interface Installation {
  /** Socket of containerd; undefined: the image is brought to the nodes or the registry by other means. */
  readonly containerd: string | undefined;
  /** Name of the Helm release; undefined: helm is not called. */
  readonly release: string | undefined;
  readonly namespace: string;
  /** Registry from which nodes pull; undefined: the one in the image's name. */
  readonly registry: string | undefined;
  /** Files of values for the chart, the last wins. */
  readonly values: readonly string[];
  readonly timeoutSeconds: number;
  /** The two programs: names on the path, or paths. */
  readonly helm: string;
  readonly ctr: string;
}

/** One call of a program. */
export interface ProgramCall {
  readonly program: string;
  readonly argv: readonly string[];
}

/** The calls that install the release in `folder`, in their order. */
export function installCalls(
  folder: string,
  { image }: BundleManifest,
  installation: Installation,
): readonly ProgramCall[] {
  const { containerd, ctr, release } = installation;
  const client = ['--address', containerd ?? '', '--namespace', 'k8s.io', 'images'];
  const load = [
    'import',
    '--digests',
    '--base-name',
    image.repository,
    join(folder, image.archive),
  ];
  return [
    ...(containerd === undefined ? [] : [{ program: ctr, argv: [...client, ...load] }]),
    ...(release === undefined ? [] : [helmUpgrade(folder, image, { ...installation, release })]),
  ];
}

function helmUpgrade(
  folder: string,
  { repository, tag, digest }: BundleManifest['image'],
  installation: Installation & { readonly release: string },
): ProgramCall {
  const { release, namespace, registry, values, timeoutSeconds, helm } = installation;
  const slash = repository.indexOf('/');
  const sets = [
    `image.registry=${registry ?? repository.slice(0, slash)}`,
    `image.repository=${repository.slice(slash + 1)}`,
    `image.tag=${tag}`,
    `image.digest=${digest}`,
  ];
  return {
    program: helm,
    argv: [
      ...['upgrade', release, join(folder, 'charts/sallyport'), '--install', '--atomic', '--wait'],
      ...['--namespace', namespace, '--create-namespace', '--timeout', `${timeoutSeconds}s`],
      ...values.flatMap((file) => ['--values', file]),
      ...['--set-string', sets.join(',')],
    ],
  };
}

/** The call that goes back to what the Helm release was before. */
export const helmRollback = (
  { namespace, timeoutSeconds, helm }: Installation,
  release: string,
): ProgramCall => ({
  program: helm,
  argv: [
    'rollback',
    release,
    '--wait',
    '--namespace',
    namespace,
    '--timeout',
    `${timeoutSeconds}s`,
  ],
});

/** Runs a program to its end; what it says goes to standard error. @throws ActionableError ERR_INSTALL if it fails or is not there */
export async function runProgram({ program, argv }: ProgramCall): Promise<void> {
  const child = spawn(program, argv, { stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => {
      resolve((error as { readonly code?: string }).code === 'ENOENT' ? 'absent' : error.message);
    });
    child.once('exit', (status, signal) => {
      resolve(status ?? signal ?? 'ended');
    });
  });
  if (code === 0) return;
  const problem =
    code === 'absent' ? `There is no program ${program}.` : `${program} failed (${String(code)}).`;
  throw new ActionableError(
    'ERR_INSTALL',
    problem,
    'The release that was current still is: put that right and run the same command again.',
  );
}
