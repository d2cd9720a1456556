/*
 * What the pods really are, as the kernel of the node says it and as their own programs find it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json } from '../apiserver/bed/admin.js';
import { edgeResources } from './bed/edge.js';
import { Installation, SYSTEM } from './bed/installation.js';
import type { ProcessFacts } from './bed/process-facts.js';
import { processesOf } from './bed/process-facts.js';

const NAMESPACE = 'facts';
const USER = '65532 65532 65532 65532';
let installation: Installation;
let pods: Json[];
let processes: ProcessFacts[];

beforeAll(async () => {
  installation = Installation.ready();
  await installation.namespace(NAMESPACE);
  for (const resource of edgeResources()) await installation.apply(resource, NAMESPACE);
  await installation.allReady(NAMESPACE, 90_000);
  pods = await podsOf(NAMESPACE, SYSTEM);
  processes = pods.flatMap((pod) => processesOf(installation.cluster, pod));
}, 240_000);
afterAll(() => installation.removeNamespace(NAMESPACE), 120_000);

async function podsOf(...namespaces: readonly string[]): Promise<Json[]> {
  const lists = await Promise.all(
    namespaces.map((name) => installation.cluster.admin.get(`/api/v1/namespaces/${name}/pods`)),
  );
  return lists.flatMap(({ items }): Json[] => items as Json[]);
}

/** Runs JavaScript in the container of a pod, with all that is asked of the container; gives what it wrote as JSON. */
function inside<Value>(pod: Json, code: string): Value {
  const { namespace, name } = pod.metadata as Record<string, string>;
  const words = ['exec', '-n', namespace!, name!, '--', 'node', '-e', code];
  return JSON.parse(installation.cluster.kubectl(words)) as Value;
}

const kindOf = (pod: Json): string =>
  /operator|gateway|relay/.exec(pod.metadata.name as string)![0];
const oneOfEach = (): Json[] =>
  ['operator', 'gateway', 'relay'].map((kind): Json => pods.find((pod) => kindOf(pod) === kind));

describe('the pods of operator, gateway and relays', () => {
  it('are five, with one process each', () => {
    expect(pods.map(kindOf).sort()).toEqual(['gateway', 'operator', 'operator', 'relay', 'relay']);
    expect(processes.map(({ command }) => /dist\/bin\/\w+/.exec(command)?.[0]).sort()).toEqual([
      'dist/bin/gateway',
      'dist/bin/operator',
      'dist/bin/operator',
      'dist/bin/relay',
      'dist/bin/relay',
    ]);
  });

  it('S178: run as 65532 without a capability, filtered by seccomp, and can gain nothing', () => {
    for (const { status, pod } of processes) {
      const { Uid, Gid, CapInh, CapPrm, CapEff, CapBnd, CapAmb, NoNewPrivs, Seccomp } = status;
      const none = '0000000000000000';
      expect({
        pod,
        Uid,
        Gid,
        CapInh,
        CapPrm,
        CapEff,
        CapBnd,
        CapAmb,
        NoNewPrivs,
        Seccomp,
      }).toEqual({
        pod,
        Uid: USER,
        Gid: USER,
        CapInh: none,
        CapPrm: none,
        CapEff: none,
        CapBnd: none,
        CapAmb: none,
        NoNewPrivs: '1',
        Seccomp: '2',
      });
    }
  });

  it('S178: have a root that is mounted read-only, and refuse to write to it', () => {
    for (const { pod, mounts } of processes)
      expect({ pod, root: mounts.find(({ path }) => path === '/')?.options }).toEqual({
        pod,
        root: expect.arrayContaining(['ro']),
      });
    for (const pod of oneOfEach()) {
      const answers = inside<string[]>(pod, WRITE_EVERYWHERE);
      expect(new Set(answers)).toEqual(new Set(['EROFS']));
    }
  });

  it('S178: can write to the data volume of the gateway alone, and execute nothing from anywhere else', () => {
    const writable = Object.fromEntries(
      oneOfEach().map((pod) => [kindOf(pod), inside<string[]>(pod, WRITABLE_FOLDERS)]),
    );
    // Every container has the first two; they are mounted so that nothing runs from them.
    const always = ['/dev/mqueue', '/dev/shm'];
    expect(writable).toEqual({
      operator: always,
      gateway: [...always, '/var/lib/sallyport'],
      relay: always,
    });
    for (const { mounts } of processes)
      for (const { options } of mounts.filter(({ path }) => always.includes(path)))
        expect(options).toEqual(expect.arrayContaining(['noexec', 'nosuid', 'nodev']));
    for (const pod of oneOfEach()) expect(inside(pod, EXECUTE_WRITTEN)).toBe('EACCES');
  });

  it('S178: have a token of the API server in the operator alone', () => {
    const tokens = pods.map((pod) => [
      kindOf(pod),
      (pod.spec.volumes as Json[]).some(({ projected }) =>
        ((projected?.sources ?? []) as Json[]).some(
          ({ serviceAccountToken }) => serviceAccountToken !== undefined,
        ),
      ),
    ]);
    expect(Object.fromEntries(tokens)).toEqual({ operator: true, gateway: false, relay: false });
    for (const pod of oneOfEach()) {
      const path = '/var/run/secrets/kubernetes.io/serviceaccount/token';
      const code = `process.stdout.write(JSON.stringify(require('node:fs').existsSync('${path}')))`;
      expect([kindOf(pod), inside(pod, code)]).toEqual([kindOf(pod), kindOf(pod) === 'operator']);
    }
  });

  it('S176: hold keys in files that their own group alone may read', () => {
    for (const pod of oneOfEach().filter((one) => kindOf(one) !== 'operator')) {
      const files = inside<{ path: string; mode: number; gid: number }[]>(pod, SECRET_FILES);
      const keys = files.filter(({ path }) => /key|private|seed|\.pem$/i.test(path));
      expect(keys.length).toBeGreaterThan(0);
      for (const { path, mode, gid } of keys)
        expect({ path, mode: mode.toString(8), gid }).toEqual({
          path,
          mode: expect.stringMatching(/^4[04]0$/),
          gid: 65532,
        });
    }
  });

  it('S177: let the gateway alone own its data', () => {
    const [, gateway] = oneOfEach();
    const code = `const fs = require('node:fs'); const at = '/var/lib/sallyport';
      process.stdout.write(JSON.stringify(fs.readdirSync(at).map((name) => { const { uid, gid, mode } = fs.statSync(at + '/' + name); return { uid, gid, others: mode & 7 }; })))`;
    const files = inside<object[]>(gateway, code);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(file).toEqual({ uid: 65532, gid: 65532, others: 0 });
  });

  it('S172: listen on exactly the ports that their containers declare', () => {
    for (const pod of pods) {
      const declared = (pod.spec.containers as Json[]).flatMap(({ ports }) =>
        (ports as Json[]).map(({ protocol, containerPort }) => `${protocol} ${containerPort}`),
      );
      const open = processes.find((one) => one.pod === pod.metadata.name)!.ports;
      expect([pod.metadata.name, open]).toEqual([pod.metadata.name, declared.sort()]);
    }
  });
});

const WRITE_EVERYWHERE = `const fs = require('node:fs'); const answers = [];
  for (const folder of ['/', '/usr/bin', '/sallyport', '/sallyport/dist', '/sallyport/node_modules', '/etc', '/tmp', '/root']) {
    if (!fs.existsSync(folder)) continue;
    try { fs.writeFileSync(folder + '/written', ''); answers.push('written ' + folder); } catch ({ code }) { answers.push(code); }
  }
  process.stdout.write(JSON.stringify(answers))`;

const EXECUTE_WRITTEN = `const path = '/dev/shm/program';
  require('node:fs').writeFileSync(path, '#!/usr/bin/node\\n', { mode: 0o755 });
  const { error, status } = require('node:child_process').spawnSync(path);
  require('node:fs').unlinkSync(path);
  process.stdout.write(JSON.stringify(error?.code ?? 'exit ' + status))`;

/** Folders in which this user makes files, /proc apart. */
const WRITABLE_FOLDERS = `const fs = require('node:fs'); const found = [];
  const walk = (folder) => {
    let entries; try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch { return; }
    const probe = folder.replace(/\\/$/, '') + '/.probe';
    try { fs.writeFileSync(probe, ''); fs.unlinkSync(probe); found.push(folder); return; } catch {}
    for (const entry of entries) if (entry.isDirectory() && !['/proc', '/sys'].includes(folder + entry.name)) walk(folder.replace(/\\/$/, '') + '/' + entry.name);
  };
  walk('/'); process.stdout.write(JSON.stringify(found.sort()))`;

/** Files of every volume below /etc/sallyport and /run, where Secrets are mounted. */
const SECRET_FILES = `const fs = require('node:fs'); const found = [];
  const walk = (folder) => { for (const name of fs.readdirSync(folder)) { if (name.startsWith('..')) continue; const path = folder + '/' + name;
    const at = fs.statSync(path); if (at.isDirectory()) walk(path); else found.push({ path, mode: at.mode & 0o777, gid: at.gid }); } };
  walk('/etc/sallyport'); process.stdout.write(JSON.stringify(found))`;
