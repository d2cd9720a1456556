import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commandLine, podFiles, type PodPlace } from './pod-files.js';
import { workloadsIn } from './pods.js';
import { writeVolume } from './volume.files.js';

const WORKLOAD = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'office', name: 'near-relay' },
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'relay',
            command: ['node', 'dist/bin/relay.js', '--settings', '/etc/sallyport/settings/s.json'],
            args: ['--pod', '$(POD_NAME)', '$(UNKNOWN)'],
            env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/sallyport/settings' },
              { name: 'tls', mountPath: '/etc/sallyport/tls' },
              { name: 'data', mountPath: '/var/lib/sallyport' },
            ],
          },
        ],
        volumes: [
          { name: 'settings', configMap: { name: 'near-relay-settings', defaultMode: 0o444 } },
          {
            name: 'tls',
            secret: {
              secretName: 'near-relay-tls',
              defaultMode: 0o440,
              items: [{ key: 'tls.key', path: 'tls.key' }],
            },
          },
          { name: 'policy', configMap: { name: 'absent', optional: true } },
          { name: 'data', persistentVolumeClaim: { claimName: 'data-0' } },
        ],
      },
    },
  },
};
const SETTINGS = {
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'near-relay-settings', namespace: 'office' },
  data: {
    's.json': JSON.stringify({
      listeners: { relay: { port: 3478, addresses: [] }, one: { addresses: ['::1'] } },
      tls: { keyFile: '/etc/sallyport/tls/tls.key' },
      data: '/var/lib/sallyport',
      other: '/etc/sallyport/tlsx',
      gateways: [{ host: 'edge-internal.office.svc', port: 9443 }],
    }),
    'ca.crt': '/etc/sallyport/tls is text here',
  },
};
const SECRET = {
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: { name: 'near-relay-tls', namespace: 'office' },
  data: {
    'tls.key': Buffer.from('"/etc/sallyport/tls"').toString('base64'),
    'next.key': 'bmV4dA==',
  },
};
const PLACE: PodPlace = {
  volumes: '/state/pods/office/near-relay-0/volumes',
  claims: '/state/claims/office',
  address: '127.0.0.4',
  services: new Map([['edge-internal.office.svc', '127.0.0.1']]),
};
const pod = workloadsIn([WORKLOAD])[0]?.pods[0];
if (pod === undefined) throw new Error('there is no pod');
const find = (kind: string) => (kind === 'Secret' ? SECRET : SETTINGS);
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe('the files of a pod on this machine', () => {
  const { projected, missing } = podFiles(
    pod,
    (kind, name) => (name === 'absent' ? undefined : find(kind)),
    PLACE,
  );
  const [settings, tls] = projected;

  it('name places here where the cluster names its own', () => {
    expect(JSON.parse(textOf(settings?.files.get('s.json')))).toEqual({
      listeners: {
        relay: { port: 3478, addresses: ['127.0.0.4'] },
        one: { addresses: ['::1'] },
      },
      tls: { keyFile: '/state/pods/office/near-relay-0/volumes/tls/tls.key' },
      data: '/state/claims/office/data-0',
      other: '/etc/sallyport/tlsx',
      gateways: [{ host: 'edge-internal.office.svc', address: '127.0.0.1', port: 9443 }],
    });
  });

  it('are the same bytes where they are no JSON or a Secret, and only the named keys', () => {
    expect(textOf(settings?.files.get('ca.crt'))).toBe('/etc/sallyport/tls is text here');
    expect([...(tls?.files ?? [])].map(([name, bytes]) => [name, textOf(bytes)])).toEqual([
      ['tls.key', '"/etc/sallyport/tls"'],
    ]);
    expect(tls?.mode).toBe(0o440);
  });

  it('miss nothing that is optional, and name what is not there', () => {
    expect(missing).toEqual([]);
    expect(podFiles(pod, () => undefined, PLACE).missing).toEqual([
      'ConfigMap near-relay-settings',
      'Secret near-relay-tls',
    ]);
  });

  it('are named by the command line, with its variables filled in', () => {
    expect(commandLine(pod, PLACE)).toEqual([
      'node',
      'dist/bin/relay.js',
      '--settings',
      '/state/pods/office/near-relay-0/volumes/settings/s.json',
      '--pod',
      'near-relay-0',
      '$(UNKNOWN)',
    ]);
  });
});

describe('a volume on disk', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-volume-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('changes in one step, drops what is gone, and is not written twice', async () => {
    const volume = join(folder, 'v');
    const one = new Map([
      ['a', bytes('1')],
      ['b', bytes('2')],
    ]);
    expect(await writeVolume(volume, { files: one, mode: 0o444 })).toBe(true);
    expect(await writeVolume(volume, { files: one, mode: 0o444 })).toBe(false);
    const before = await readlink(join(volume, '..data'));
    const two = new Map([['a', bytes('3')]]);
    expect(await writeVolume(volume, { files: two, mode: 0o440 })).toBe(true);
    expect(await readlink(join(volume, '..data'))).not.toBe(before);
    expect(await readFile(join(volume, 'a'), 'utf8')).toBe('3');
    expect((await readdir(volume)).filter((name) => !name.startsWith('..'))).toEqual(['a']);
    expect((await lstat(join(volume, 'a'))).isSymbolicLink()).toBe(true);
  });

  it('is for its owner and group alone, whatever the mode says', async () => {
    const volume = join(folder, 'w');
    await writeVolume(volume, { files: new Map([['k', bytes('secret')]]), mode: 0o666 });
    expect((await stat(join(volume, 'k'))).mode & 0o777).toBe(0o440);
  });
});
