// The programs of the test bed (etcd, kube-apiserver, kube-controller-manager; those of the cluster tier apart): where
// they are, and how they are made when they are nowhere. Plain JavaScript that Node 20 runs, so that the bootstrap
// can call it before anything else is installed. `node test/testbed/build.js` builds and prints the folder;
// `node test/testbed/build.js cluster` does it for the cluster tier and prints a line per program.
//
// Order: KUBEBUILDER_ASSETS when set; the user's cache folder; a build with Go; one clear error.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/** Each program: the Go module folder beside this file, and its package. */
const PROGRAMS = [
  { name: 'etcd', module: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
  { name: 'kube-apiserver', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  {
    name: 'kube-controller-manager',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  },
];

/**
 * What only the cluster tier needs. Each module has a cache folder of its own, so that a new version of one of them
 * builds that one.
 */
const CLUSTER_PROGRAMS = [
  ...['kubelet', 'kube-scheduler', 'kubectl', 'kube-proxy'].map((name) => ({
    name,
    module: 'kubernetes-node',
    package: `k8s.io/kubernetes/cmd/${name}`,
  })),
  { name: 'helm', module: 'helm', package: 'helm.sh/helm/v3/cmd/helm' },
  { name: 'coredns', module: 'coredns', package: 'github.com/coredns/coredns' },
  { name: 'netpol', module: 'netpol', package: '.' },
  { name: 'pause', module: 'netpol', package: './pause' },
];

/** A lock whose holder has not touched it for so long belongs to a dead builder. */
const LOCK_STALE_MS = 30_000;
const LOCK_TOUCH_MS = 5_000;

/** The folder that holds the binaries of exactly these go.mod and go.sum files. */
export function cacheFolder(env = process.env) {
  return folderOf([...new Set(PROGRAMS.map(({ module }) => module))].sort(), env);
}

/** The folder for the binaries of these modules, named after what they are made from. */
function folderOf(modules, env) {
  const hash = createHash('sha256');
  for (const module of modules) {
    for (const file of sourcesOf(module)) {
      const content = readFileSync(join(HERE, module, file));
      hash.update(`${module}/${file} ${content.length}\n`).update(content);
    }
  }
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'sallyport', 'testbed', hash.digest('hex'));
}

/** What pins a module, and its own code where it has some. */
function sourcesOf(module) {
  const own = readdirSync(join(HERE, module), { recursive: true }).map(String);
  return ['go.mod', 'go.sum', ...own.filter((name) => name.endsWith('.go')).sort()];
}

const missingOf = (programs, folder) =>
  programs.map((program) => program.name).filter((name) => !existsSync(join(folder, name)));
const missingIn = (folder) => missingOf(PROGRAMS, folder);

/**
 * The folder with all programs, or undefined if it has to be built first.
 * @throws Error if KUBEBUILDER_ASSETS is set and a program is missing there.
 */
export function findTestBed(env = process.env) {
  const assets = env.KUBEBUILDER_ASSETS;
  if (assets) {
    const missing = missingIn(assets);
    if (missing.length === 0) return assets;
    throw new Error(
      `KUBEBUILDER_ASSETS=${assets} has no ${missing.join(', ')}. ` +
        'Point it at a folder with etcd, kube-apiserver and kube-controller-manager, or unset it to build them with Go.',
    );
  }
  const folder = cacheFolder(env);
  return missingIn(folder).length === 0 ? folder : undefined;
}

/** The version of the `go` on the path, such as `go1.26.8`, or undefined. */
export function goVersion(env = process.env) {
  const answer = spawnSync('go', ['env', 'GOVERSION'], { env, encoding: 'utf8', cwd: HERE });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/** What a person has to do when the binaries are nowhere and cannot be built. */
export const HOW_TO_GET_BINARIES =
  'The tests on a real API server need etcd, kube-apiserver and kube-controller-manager. ' +
  'Install Go 1.26 or newer (they are then built once, in about 4 minutes), ' +
  'or set KUBEBUILDER_ASSETS to a folder that holds the three.';

/**
 * The folder with all programs, built first if need be.
 * `log` takes one line of progress at a time; it is not called when there is nothing to build.
 */
export async function ensureTestBed({
  env = process.env,
  log = (line) => process.stderr.write(`${line}\n`),
} = {}) {
  const found = findTestBed(env);
  if (found) return found;
  if (!goVersion(env)) throw new Error(HOW_TO_GET_BINARIES);
  const folder = cacheFolder(env);
  await buildOnce(folder, PROGRAMS, { env, log });
  return folder;
}

/**
 * The path of every program by its name, those of the cluster tier too; builds what is not there.
 * @throws Error where a program is missing and there is no Go.
 */
export async function ensureClusterPrograms({
  env = process.env,
  log = (line) => process.stderr.write(`${line}\n`),
} = {}) {
  const base = await ensureTestBed({ env, log });
  const paths = new Map(PROGRAMS.map(({ name }) => [name, join(base, name)]));
  for (const module of new Set(CLUSTER_PROGRAMS.map((program) => program.module))) {
    for (const [name, path] of await ensureModule(module, { env, log })) paths.set(name, path);
  }
  return paths;
}

/** The programs of one module of the cluster tier, built first if need be. */
async function ensureModule(module, { env, log }) {
  const programs = CLUSTER_PROGRAMS.filter((program) => program.module === module);
  const folder = folderOf([module], env);
  const missing = missingOf(programs, folder);
  if (missing.length > 0) {
    if (!goVersion(env))
      throw new Error(
        `The tests need ${missing.join(', ')}, and there is no Go to build them. ${HOW_TO_GET_BINARIES}`,
      );
    await buildOnce(folder, programs, { env, log });
  }
  return programs.map(({ name }) => [name, join(folder, name)]);
}

/** The path of helm, which tests of the charts need too, or undefined if it has to be built first. */
export function findHelm(env = process.env) {
  const assets = env.KUBEBUILDER_ASSETS;
  const folders = [...(assets ? [assets] : []), folderOf(['helm'], env)];
  return folders.map((folder) => join(folder, 'helm')).find((path) => existsSync(path));
}

/** The path of helm, built first if need be. */
export async function ensureHelm({
  env = process.env,
  log = (line) => process.stderr.write(`${line}\n`),
} = {}) {
  const found = findHelm(env);
  if (found) return found;
  const [[, path]] = await ensureModule('helm', { env, log });
  return path;
}

async function buildOnce(folder, programs, { env, log }) {
  mkdirSync(dirname(folder), { recursive: true });
  const release = await lock(`${folder}.lock`, log);
  try {
    // Another builder may have finished while this one waited for the lock.
    if (missingOf(programs, folder).length > 0) await build(folder, programs, { env, log });
  } finally {
    release();
  }
}

async function build(folder, programs, { env, log }) {
  const temporary = `${folder}.tmp-${process.pid}`;
  // The lock is held, so what others left here comes from builders that were killed.
  for (const name of readdirSync(dirname(folder))) {
    if (name.startsWith(`${basename(folder)}.tmp-`))
      rmSync(join(dirname(folder), name), { recursive: true });
  }
  mkdirSync(temporary, { recursive: true });
  try {
    for (const [index, program] of programs.entries()) {
      const at = `test bed: ${program.name} (${index + 1} of ${programs.length})`;
      log(`${at}: building with ${goVersion(env)}; only the first time on this machine`);
      const begin = Date.now();
      await goBuild(program, join(temporary, program.name), { env, log, at });
      log(`${at}: built in ${Math.round((Date.now() - begin) / 1000)} s`);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Without the version stamps the server reports v0.0.0 and checks of the server's version fail; Helm then takes 1.20
 * for the version of a cluster that it does not ask.
 */
function versionFlags(module) {
  const pinned = readFileSync(join(HERE, module, 'go.mod'), 'utf8');
  const version = /k8s\.io\/kubernetes (v[\d.]+)/.exec(pinned)?.[1];
  const helm = /helm\.sh\/helm\/v3 (v[\d.]+)/.exec(pinned)?.[1];
  const minor = /k8s\.io\/client-go v0\.(\d+)\./.exec(pinned)?.[1];
  const stamps = version
    ? ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].map(
        (name) => `${name}.gitVersion=${version}`,
      )
    : helm
      ? [
          `helm.sh/helm/v3/internal/version.version=${helm}`,
          ...['chartutil', 'lint/rules'].flatMap((name) => [
            `helm.sh/helm/v3/pkg/${name}.k8sVersionMajor=1`,
            `helm.sh/helm/v3/pkg/${name}.k8sVersionMinor=${minor}`,
          ]),
        ]
      : [];
  return stamps.map((stamp) => `-X ${stamp}`);
}

function goBuild(program, output, { env, log, at }) {
  const flags = ['-s', '-w', ...versionFlags(program.module)].join(' ');
  const args = [
    'build',
    '-mod=readonly',
    '-trimpath',
    '-ldflags',
    flags,
    '-o',
    output,
    program.package,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd: join(HERE, program.module),
      env: { ...env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const tail = [];
    const take = (chunk) => {
      tail.push(...chunk.toString().split('\n').filter(Boolean));
      tail.splice(0, tail.length - 20);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const begin = Date.now();
    const timer = setInterval(() => {
      log(`${at}: ${Math.round((Date.now() - begin) / 1000)} s ${tail.at(-1) ?? ''}`.trimEnd());
    }, 15_000);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(undefined);
      else reject(new Error(`${at}: go build failed (exit ${code}):\n${tail.join('\n')}`));
    });
  });
}

/** Takes the lock file, waiting for another builder to finish; gives the function that releases it. */
async function lock(path, log) {
  for (let waitedMs = 0; !take(path); waitedMs += 1000) {
    if (waitedMs % 15_000 === 0) log('test bed: waiting for another build of the same binaries');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const timer = setInterval(() => {
    const now = new Date();
    if (existsSync(path)) utimesSync(path, now, now);
  }, LOCK_TOUCH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    rmSync(path, { force: true });
  };
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const touched = existsSync(path) ? statSync(path).mtimeMs : Date.now();
  if (Date.now() - touched > LOCK_STALE_MS) rmSync(path, { force: true });
  return false;
}

/** Jest calls this once before the specs of project `apiserver`. */
export default async function globalSetup() {
  await ensureTestBed();
  await ensureHelm();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const cluster = process.argv[2] === 'cluster' && (await ensureClusterPrograms());
    const lines = cluster
      ? [...cluster].map(([name, path]) => `${name} ${path}`)
      : [await ensureTestBed(), await ensureHelm()];
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
