import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  HOW_TO_GET_BINARIES,
  cacheFolder,
  ensureClusterPrograms,
  ensureTestBed,
  findTestBed,
} from './testbed/build.js';

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager'];
const BOOTSTRAP = fileURLToPath(new URL('../config/tooling/bootstrap.js', import.meta.url));

describe('the binaries of the test bed', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-build-'));
    env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder };
    mkdirSync(join(folder, 'bin'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function put(path: string, names: readonly string[]): string {
    mkdirSync(path, { recursive: true });
    for (const name of names) writeFileSync(join(path, name), '');
    return path;
  }

  /** A program named `go` that writes its arguments down, takes a moment, and does `then`. */
  function putGo(then: string): void {
    const script = [
      '#!/bin/sh',
      'if [ "$1" = env ]; then echo go1.26.0; exit 0; fi',
      `echo "$@" >> ${folder}/builds`,
      'while [ "$1" != -o ]; do shift; done',
      '/bin/sleep 0.2',
      then,
    ];
    writeFileSync(join(folder, 'bin', 'go'), script.join('\n'), { mode: 0o755 });
  }
  const builds = (): string[] => readFileSync(join(folder, 'builds'), 'utf8').trim().split('\n');
  const silent = (): void => undefined;

  it('come from KUBEBUILDER_ASSETS when it is set, even when the cache has them', () => {
    put(cacheFolder(env), PROGRAMS);
    const assets = put(join(folder, 'assets'), PROGRAMS);
    expect(findTestBed({ ...env, KUBEBUILDER_ASSETS: assets })).toBe(assets);
    expect(findTestBed(env)).toBe(cacheFolder(env));
  });

  it('are named when KUBEBUILDER_ASSETS lacks one, and nothing else is tried', async () => {
    put(cacheFolder(env), PROGRAMS);
    const KUBEBUILDER_ASSETS = put(join(folder, 'assets'), ['etcd']);
    const message = 'has no kube-apiserver, kube-controller-manager.';
    await expect(ensureTestBed({ env: { ...env, KUBEBUILDER_ASSETS } })).rejects.toThrow(message);
  });

  it('lie in a folder that is named after the content of the go.mod and go.sum files', () => {
    expect(dirname(cacheFolder(env))).toBe(join(folder, 'cache', 'sallyport', 'testbed'));
    expect(cacheFolder(env)).toMatch(/\/[0-9a-f]{64}$/);
  });

  it('are asked for in one message where there is neither a binary nor Go', async () => {
    await expect(ensureTestBed({ env })).rejects.toThrow(HOW_TO_GET_BINARIES);
    const run = spawnSync(process.execPath, [BOOTSTRAP, 'test'], { env, encoding: 'utf8' });
    expect(run).toMatchObject({ status: 1, stdout: '', stderr: `${HOW_TO_GET_BINARIES}\n` });
  });

  it('of the cluster tier are built once, each module into a folder of its own beside the others', async () => {
    putGo('echo program > "$2"');
    const first = await ensureClusterPrograms({ env, log: silent });
    const names = ['kubelet', 'kube-scheduler', 'kubectl', 'kube-proxy', 'helm', 'coredns'];
    expect([...first.keys()]).toEqual([...PROGRAMS, ...names, 'netpol', 'pause']);
    const folders = new Set([...first.values()].map((path) => dirname(path)));
    expect(folders.size).toBe(5);
    for (const path of first.values()) expect(existsSync(path)).toBe(true);
    const built = builds().length;
    expect(await ensureClusterPrograms({ env, log: silent })).toEqual(first);
    expect(builds()).toHaveLength(built);
  });

  it('are built once by two that want them at the same time', async () => {
    putGo('echo program > "$2"');
    const lines: string[] = [];
    const log = (line: string): number => lines.push(line);
    const found = await Promise.all([ensureTestBed({ env, log }), ensureTestBed({ env, log })]);
    expect(found).toEqual([cacheFolder(env), cacheFolder(env)]);
    expect(readdirSync(cacheFolder(env)).sort()).toEqual(PROGRAMS);
    expect(builds()).toHaveLength(PROGRAMS.length);
    expect(readdirSync(dirname(cacheFolder(env)))).toHaveLength(1);
    expect(lines.join('\n')).toMatch(/waiting for another build/);
    expect(lines.join('\n')).toMatch(/kube-apiserver \(2 of 3\): built in/);
  });

  it('are built with the pinned modules as they stand, and say which release they are', async () => {
    putGo('echo program > "$2"');
    await ensureTestBed({ env, log: silent });
    expect(builds().every((line) => line.includes('-mod=readonly -trimpath'))).toBe(true);
    const stamp = '-X k8s.io/component-base/version.gitVersion=v1.36.4';
    expect(builds().filter((line) => line.includes(stamp))).toHaveLength(2);
  });

  it('leave nothing half-made behind when a build fails, and the error says what Go said', async () => {
    putGo('echo no required module provides package >&2; exit 1');
    await expect(ensureTestBed({ env, log: silent })).rejects.toThrow(
      'no required module provides package',
    );
    expect(existsSync(cacheFolder(env))).toBe(false);
    expect(readdirSync(dirname(cacheFolder(env)))).toEqual([]);
  });
});

describe('npm test', () => {
  it('takes no path, and says which command does', () => {
    const run = spawnSync(process.execPath, [BOOTSTRAP, 'test', 'src/x.spec.ts'], {
      env: { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) },
      encoding: 'utf8',
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('npm run test:unit -- PATH');
  });
});
