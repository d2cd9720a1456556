import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runBundle } from '../../src/cli/bundle/bundle.command.js';
import { Releases } from '../../src/cli/bundle/releases.files.js';
import { Report } from '../../src/cli/terminal/report.js';
import { aBundle, signer } from './bundle-archive.js';

let folder: string;
let key: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'));
  key = join(folder, 'release.pub');
  writeFileSync(key, signer.publicKey.export({ type: 'spki', format: 'pem' }));
  said = '';
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const to = () => join(folder, 'releases');
const report = () =>
  new Report({ write: (text: string) => ((said += text), true), isTTY: false }, 'text'); // What Report uses of a stream.
const installation = () => ({
  containerd: undefined,
  namespace: 'sallyport-system',
  registry: undefined,
  values: [],
  timeoutSeconds: 10,
  helm: join(folder, 'helm'),
  ctr: 'ctr',
  output: 'text' as const,
});

function bundleFile(version: string): string {
  const file = join(folder, `${version}.tar`);
  writeFileSync(file, aBundle(version));
  return file;
}

const load = (version: string, release?: string) =>
  runBundle(
    {
      name: 'bundle load',
      file: bundleFile(version),
      keys: [key],
      folder: to(),
      ...installation(),
      release,
    },
    report(),
  );
const rollBack = (release?: string) =>
  runBundle({ name: 'bundle rollback', folder: to(), ...installation(), release }, report());
const current = () => readlinkSync(join(to(), 'current'));

/** A program in place of helm, which notes how it was called and ends with `exitCode`. */
function aHelm(exitCode: number): void {
  const program = join(folder, 'helm');
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${folder}/calls\nexit ${exitCode}\n`);
  chmodSync(program, 0o755);
}

describe('a folder of releases', () => {
  it('S81: has the release that was loaded last as current and the one before as previous', async () => {
    await load('1.0.0');
    await load('1.1.0');
    expect(current()).toBe('versions/1.1.0');
    expect(readlinkSync(join(to(), 'previous'))).toBe('versions/1.0.0');
    const chart = join(to(), 'current/charts/sallyport/Chart.yaml');
    expect(readFileSync(chart, 'utf8')).toBe('version: 1.1.0\n');
    expect(said).toContain('1.1.0 is in');
  });

  it('T52: stays as it is when a bundle is older, and goes back only on purpose', async () => {
    await load('1.0.0');
    await load('1.1.0');
    await expect(load('1.0.0')).rejects.toMatchObject({
      code: 'ERR_BUNDLE',
      problem: expect.stringContaining('older-version: 1.0.0'),
      hint: expect.stringContaining('bundle rollback'),
    });
    expect(current()).toBe('versions/1.1.0');
    await rollBack();
    expect(current()).toBe('versions/1.0.0');
    expect(readlinkSync(join(to(), 'previous'))).toBe('versions/1.1.0');
  });

  it('stays as it is when a bundle was changed, and what was unpacked of it is never a release', async () => {
    await load('1.0.0');
    const bytes = aBundle('1.1.0');
    bytes[bytes.indexOf('not really')]! ^= 1;
    const file = join(folder, 'changed.tar');
    writeFileSync(file, bytes);
    const command = { name: 'bundle load', file, keys: [key], folder: to() } as const;
    await expect(
      runBundle({ ...command, ...installation(), release: undefined }, report()),
    ).rejects.toMatchObject({ problem: expect.stringContaining('changed: image/a.tar') });
    expect(readdirSync(join(to(), 'versions'))).toEqual(['1.0.0']);
    expect(current()).toBe('versions/1.0.0');
  });

  it('is finished by the same command after an interruption at any step', async () => {
    await load('1.0.0');
    // Killed while unpacking, after the rename, and between the two links.
    mkdirSync(join(to(), 'incoming/charts'), { recursive: true });
    writeFileSync(join(to(), 'incoming/charts/half'), '');
    await load('1.1.0');
    expect(current()).toBe('versions/1.1.0');
    await new Releases(to()).use('1.0.0');
    await load('1.1.0');
    expect(current()).toBe('versions/1.1.0');
    expect(readdirSync(to()).sort()).toEqual(['current', 'previous', 'versions']);
  });

  it('has nothing to go back to before a second release', async () => {
    await load('1.0.0');
    await expect(rollBack()).rejects.toMatchObject({ code: 'ERR_STATE' });
  });

  it('calls helm with the digest that was signed, waits, and lets it undo what fails', async () => {
    aHelm(0);
    await load('1.0.0', 'sallyport');
    await load('1.1.0', 'sallyport');
    await rollBack('sallyport');
    const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
    expect(calls[0]).toBe(
      `upgrade sallyport ${to()}/versions/1.0.0/charts/sallyport --install --atomic --wait --namespace sallyport-system ` +
        '--create-namespace --timeout 10s --set-string image.registry=registry.example.com,image.repository=sallyport,' +
        `image.tag=1.0.0,image.digest=sha256:${'0'.repeat(64)}`,
    );
    expect(calls[2]).toBe('rollback sallyport --wait --namespace sallyport-system --timeout 10s');
    expect(current()).toBe('versions/1.0.0');
  });

  it('keeps the current release when helm fails', async () => {
    await load('1.0.0');
    aHelm(1);
    await expect(load('1.1.0', 'sallyport')).rejects.toMatchObject({ code: 'ERR_INSTALL' });
    expect(current()).toBe('versions/1.0.0');
    aHelm(0);
    await load('1.1.0', 'sallyport');
    expect(current()).toBe('versions/1.1.0');
  });
});

describe('bundle verify', () => {
  const verify = (file: string, keys = [key], installed?: string) =>
    runBundle({ name: 'bundle verify', file, keys, installed, output: 'text' }, report());

  it('S144, S81: says what is in a bundle and writes nothing', async () => {
    const file = bundleFile('1.0.0');
    const before = readdirSync(folder);
    expect(await verify(file)).toBe(0);
    expect(said).toContain('sallyport 1.0.0, 2 files, signed and whole.');
    expect(readdirSync(folder)).toEqual(before);
  });

  it('says what to do about a file that is not there, a key that is none and a version that is none', async () => {
    const file = bundleFile('1.0.0');
    await expect(verify(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_BUNDLE' });
    await expect(verify(file, [file])).rejects.toMatchObject({
      problem: expect.stringContaining('holds no public key'),
    });
    await expect(verify(file, [key], 'new')).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
