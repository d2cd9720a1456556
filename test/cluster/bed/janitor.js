// Makes the namespaces of one node (processes, mounts, network), starts the supervisor of its programs in them, and takes
// everything down when the test process is gone, however that ends: its standard input is a pipe from there.
//
// The supervisor is a child of the first process of the namespace: with that the kernel ends every process in it, pods
// too, and the mounts and networks go with the last of them. What the kernel does not undo is noted here and undone at
// the end: control groups, four settings of the kernel that kubelet changes, and the folder. Logs and objects stay in KEEP.
//
//   node janitor.js FOLDER KEEP SUPERVISOR
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

const [folder, keep, supervisor] = process.argv.slice(2);
const CONTROL_GROUPS = '/sys/fs/cgroup';
const GROUP = basename(folder);

/** Settings of the whole machine that kubelet writes when it starts. */
const SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
].map((name) => `/proc/sys/${name}`);

/** The programs see their own /run and /var; what they leave there is gone with the folder. */
const FIRST_PROCESS = `set -e
mount --make-rshared /
mkdir -p "$FOLDER/var/lib" "$FOLDER/var/log" "$FOLDER/var/tmp"
ln -sfn /run "$FOLDER/var/run"
mount -t tmpfs -o mode=0755 none /run
mount --bind "$FOLDER/var" /var
ip link set lo up
"$@" <&0
exit`;

function groups() {
  const below = existsSync(CONTROL_GROUPS) ? readdirSync(CONTROL_GROUPS) : [];
  // On a machine with version 2 alone the controllers are no folders, and the group stands at the top.
  const v1 = below.filter((name) => existsSync(join(CONTROL_GROUPS, name, 'cgroup.procs')));
  return v1.length > 0
    ? v1.map((name) => join(CONTROL_GROUPS, name, GROUP))
    : [join(CONTROL_GROUPS, GROUP)];
}

function makeGroups() {
  for (const path of groups()) {
    mkdirSync(path, { recursive: true });
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      const parent = join(path, '..', name);
      if (existsSync(parent) && existsSync(join(path, name)))
        writeFileSync(join(path, name), readFileSync(parent));
    }
  }
}

function removeGroup(path) {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  rmdirSync(path);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** An ended process leaves its control group a moment later. */
async function removeGroups() {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const path of groups()) removeGroup(path);
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}

function keepRecords(firstProcess) {
  rmSync(keep, { recursive: true, force: true });
  mkdirSync(keep, { recursive: true });
  const dump = join(folder, 'dump.sh');
  if (firstProcess && existsSync(dump)) {
    const enter = ['-t', String(firstProcess), '-n', '-m', '-p', 'sh', dump, keep];
    spawnSync('nsenter', enter, { timeout: 20_000, killSignal: 'SIGKILL', stdio: 'ignore' });
  }
  for (const name of readdirSync(folder))
    if (name.endsWith('.log')) cpSync(join(folder, name), join(keep, name));
  const pods = join(folder, 'var', 'log', 'pods');
  if (existsSync(pods)) cpSync(pods, join(keep, 'pods'), { recursive: true, dereference: true });
}

const before = SETTINGS.filter((path) => existsSync(path)).map((path) => [
  path,
  readFileSync(path),
]);
makeGroups();
const inner = spawn(
  'unshare',
  [
    ...['--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'],
    ...['bash', '-c', FIRST_PROCESS, 'first-process', process.execPath, supervisor],
  ],
  { stdio: ['pipe', 'inherit', 'inherit'], env: { ...process.env, FOLDER: folder } },
);
writeFileSync(join(folder, 'unshare.pid'), String(inner.pid));
const gone = new Promise((resolve) => inner.once('exit', resolve));
inner.stdin.on('error', () => undefined);

/** The first process of the namespace, by its number on this machine. */
function firstProcess() {
  const path = `/proc/${inner.pid}/task/${inner.pid}/children`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : 0;
}

async function end() {
  const first = firstProcess();
  try {
    keepRecords(first);
  } finally {
    inner.kill('SIGKILL');
    await gone;
    // The first process of a namespace is gone when all others of it are.
    while (first && existsSync(`/proc/${first}`)) await sleep(20);
    for (const [path, value] of before) writeFileSync(path, value);
    await removeGroups();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

let ending;
/** Several of the ways to the end are taken at once. */
const finish = () => {
  ending ??= end().finally(() => process.exit());
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, finish);
process.stdin.on('data', (chunk) => inner.stdin.write(chunk)).on('end', finish);
void gone.then(finish);
