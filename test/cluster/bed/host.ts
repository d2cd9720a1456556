/*
 * The program that holds the cluster of a run: starts the node, puts our image into its store, writes where everything is,
 * and takes it all down at the end of its input. setup.js starts it for jest; a person may start it alone, and then run
 * single specs with the variable that it prints.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureClusterPrograms } from '../../testbed/build.js';
import { Cluster } from './cluster.js';
import type { ClusterState } from './installation.js';
import { STATE_VARIABLE } from './installation.js';
import { ClusterNode } from './node.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Starts the node with our image; gives it, and the file that says where everything is. */
async function start(): Promise<{ node: ClusterNode; file: string }> {
  const began = Date.now();
  const log = (line: string) => {
    process.stderr.write(`cluster: ${line} (${Math.round((Date.now() - began) / 1000)} s)\n`);
  };
  const programs = await ensureClusterPrograms({ log });
  const binary = (name: string): string => {
    const path = programs.get(name);
    if (path === undefined) throw new Error(`The test bed has no ${name}.`);
    return path;
  };
  const keep = join(ROOT, 'test-results', 'cluster');
  const node = await ClusterNode.start({ binary, keep, log });
  try {
    const access = node.access();
    const image = makeImage(join(node.folder, 'image'));
    new Cluster(access).importImage(image.archive, ['--base-name', image.name, '--digests']);
    log('our image is in its store');
    const state: ClusterState = { ...access, helm: binary('helm'), digest: image.digest };
    const file = join(node.folder, 'state.json');
    writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    return { node, file };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

interface MadeImage {
  readonly archive: string;
  /** Registry and path, without the tag. */
  readonly name: string;
  readonly digest: string;
}

/** `npm run image` of this checkout, for this kind of machine. */
function makeImage(output: string): MadeImage {
  const platform = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64';
  const script = join(ROOT, 'config/tooling/image.ts');
  const words = ['--import', 'tsx', script, '--platform', platform, '--output', output];
  execFileSync(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const made = JSON.parse(readFileSync(join(output, 'image.json'), 'utf8')) as {
    name: string;
    version: string;
    digest: string;
  };
  return {
    archive: join(output, `sallyport-${made.version}.oci.tar`),
    name: made.name.slice(0, made.name.lastIndexOf(':')),
    digest: made.digest,
  };
}

const { node, file } = await start();
process.stdout.write(`${STATE_VARIABLE}=${file}\n`);
const stop = (): void => void node.stop().then(() => process.exit());
process.stdin.on('end', stop).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
