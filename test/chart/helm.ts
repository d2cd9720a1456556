import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { AnyObject } from '../apiserver/bed/admin.js';
import { findHelm } from '../testbed/build.js';

/** The folder of a chart of ours. */
export const chartFolder = (name: string): string =>
  join(import.meta.dirname, '../../charts', name);

/** The newest Kubernetes that the charts claim; helm knows none of its own. */
export const NEWEST = '1.36.0';

/** How helm ended. */
export interface HelmRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What helm is run with besides its arguments. */
export interface HelmInput {
  /** Its values file. */
  readonly values?: object;
  readonly kubeconfig?: string;
}

/**
 * Runs helm. It sees no configuration of the person who runs the tests.
 * @throws Error when helm is nowhere or takes longer than a minute
 */
export function helm(args: readonly string[], input: HelmInput = {}): HelmRun {
  const { given, env } = commandOf(args, input);
  const { status, stdout, stderr, error } = spawnSync(helmProgram(), given, {
    env,
    input: JSON.stringify(input.values ?? {}),
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 2 ** 26,
  });
  if (error) throw error;
  return { code: status ?? 1, stdout, stderr };
}

/** Runs helm and kills it after `ms`; resolves with whether it was still running. */
export async function killedHelm(
  args: readonly string[],
  input: HelmInput,
  ms: number,
): Promise<boolean> {
  const { given, env } = commandOf(args, input);
  const child = spawn(helmProgram(), given, { env, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(JSON.stringify(input.values ?? {}));
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  await ended;
  clearTimeout(timer);
  return child.signalCode === 'SIGKILL';
}

function helmProgram(): string {
  const program = findHelm();
  if (program === undefined)
    throw new Error('There is no helm: node test/testbed/build.js builds it.');
  return program;
}

function commandOf(args: readonly string[], { values, kubeconfig }: HelmInput) {
  return {
    given: values === undefined ? [...args] : [...args, '--values', '-'],
    env: {
      PATH: process.env['PATH'],
      // Helm keeps caches and settings below it.
      HOME: kubeconfig === undefined ? '/nonexistent' : dirname(kubeconfig),
      ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
    },
  };
}

/** What a chart is rendered for. */
export interface Rendering {
  readonly chart?: 'sallyport' | 'sallyport-cluster';
  readonly values?: object;
  readonly kubernetes?: string;
  /** Further APIs that the cluster serves: `group/version/Kind`. */
  readonly apis?: readonly string[];
  readonly release?: string;
  readonly namespace?: string;
}

/** Runs `helm template`. */
export function templateRun({
  chart = 'sallyport',
  values = {},
  kubernetes = NEWEST,
  apis = [],
  release = 'sallyport',
  namespace = 'sallyport-system',
}: Rendering): HelmRun {
  const versions = apis.flatMap((api) => ['--api-versions', api]);
  const args = ['template', release, chartFolder(chart), '--namespace', namespace];
  return helm([...args, '--kube-version', kubernetes, ...versions], { values });
}

/** The objects that a chart renders, in the order of helm. @throws Error with what helm says */
export function rendered(rendering: Rendering = {}): readonly AnyObject[] {
  const { code, stdout, stderr } = templateRun(rendering);
  if (code !== 0) throw new Error(stderr);
  return (loadAll(stdout) as (AnyObject | null)[]).filter((object) => object !== null);
}

/** Why helm refuses to render. @throws Error when it does not */
export function refusal(values: object, chart?: Rendering['chart']): string {
  const { code, stderr } = templateRun({ values, ...(chart && { chart }) });
  if (code === 0) throw new Error(`helm renders ${JSON.stringify(values)}`);
  return stderr;
}

/** The one object of `kind` whose name ends with `suffix`. @throws Error for none, and for several */
export function only(objects: readonly AnyObject[], kind: string, suffix = ''): AnyObject {
  const [found, ...more] = objects.filter(
    (object) => object.kind === kind && object.metadata.name.endsWith(suffix),
  );
  if (found === undefined || more.length > 0)
    throw new Error(`${more.length + (found ? 1 : 0)} objects are ${kind} *${suffix}`);
  return found;
}
