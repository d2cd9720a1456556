/*
 * Two tenants and one operator. Mallory may write every kind of ours in her namespace and read everything there but
 * Secrets; in the other namespace she has no right at all. What she can make the operator do must show her none of the
 * canaries, which are in Secrets of both, and change nothing in the other.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import type { Logger } from '../../../src/runtime/log.js';
import { aFingerprint } from '../../builders.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { gatewayAt, managedObjects } from './gateway-rooms.js';
import { allRooms } from './pool-rooms.js';

const HERS = 'mallory';
const THEIRS = 'bank';
const USER = 'mallory';
const KINDS = ['signalinggateways', 'relaypools', 'accessroles', 'retentionpolicies'];
const MERGE = { contentType: 'application/merge-patch+json', user: USER };
/** Names of Secrets in both namespaces; `bank-vault` is in the other one only. */
const NAMES = ['vault', 'partial', 'bank-vault', 'bank-gateway-tls', 'sallyport-ca'];
/** Under every key that a program of ours reads. */
const KEYS = ['tls.crt', 'tls.key', 'uri', 'ca.crt', 'user.creds', '.dockerconfigjson'];

let server: TestApiServer;
let running: TestEngine;
const lines: string[] = [];
const log: Logger = {
  debug: (...line) => lines.push(JSON.stringify(line)),
  info: (...line) => lines.push(JSON.stringify(line)),
  warn: (...line) => lines.push(JSON.stringify(line)),
  error: (...line) => lines.push(JSON.stringify(line)),
  child: () => log,
};

beforeAll(async () => {
  server = await startEngineBed({ crds: true, users: { [USER]: ['tenants'] } });
  for (const namespace of [HERS, THEIRS]) {
    await server.createNamespace(namespace);
    await applyCanary(namespace, 'vault');
    // Something is to be said about this one: it lacks every key that anybody could want.
    await applyCanary(namespace, 'partial', ['note']);
  }
  // As cert-manager writes it for her colleague's gateway: without a label of ours.
  await applyCanary(HERS, 'shop-gateway-tls');
  await applyCanary(THEIRS, 'bank-vault');
  await applyRights();
  running = startEngine(server, { reconcilers: allRooms, log });
  await applyTheirs();
  await settled(running, 500);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyCanary(namespace: string, name: string, keys = KEYS): Promise<void> {
  const stringData = Object.fromEntries(keys.map((key) => [key, canary(namespace, name, key)]));
  await server.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData,
  });
}

function canary(namespace: string, name: string, key: string): string {
  return `CANARY-${namespace}-${name}-${key.replace('.', '')}-5f1d20c7`;
}

/** All of our kinds, and reading everything else but Secrets: in her namespace alone. */
async function applyRights(): Promise<void> {
  const namespace = HERS;
  const readable = ['configmaps', 'services', 'events', 'serviceaccounts', 'pods'];
  const rbac = 'rbac.authorization.k8s.io/v1';
  await server.apply({
    apiVersion: rbac,
    kind: 'Role',
    metadata: { name: 'tenant', namespace },
    rules: [
      { apiGroups: ['sallyport.dev'], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: readable, verbs: ['get', 'list', 'watch'] },
      {
        apiGroups: ['apps', 'networking.k8s.io', 'policy', 'autoscaling', 'events.k8s.io'],
        resources: ['*'],
        verbs: ['get', 'list', 'watch'],
      },
    ],
  });
  await server.apply({
    apiVersion: rbac,
    kind: 'RoleBinding',
    metadata: { name: 'tenant', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'tenant' },
    subjects: [{ kind: 'Group', name: 'tenants', apiGroup: 'rbac.authorization.k8s.io' }],
  });
}

const apiVersion = 'sallyport.dev/v1alpha1';

/** What the other tenant runs: a gateway with its pool, whose keys are in that namespace. */
async function applyTheirs(): Promise<void> {
  const metadata = { name: 'bank', namespace: THEIRS };
  const spec = { hosts: ['bank.example.com'] };
  await server.apply({ apiVersion, kind: 'SignalingGateway', metadata, spec });
  const pool = { region: 'eu-central', replicas: 1 };
  await server.apply({ apiVersion, kind: 'RelayPool', metadata, spec: pool });
}

/** As her; what the API server itself refuses is no attack on the operator. */
async function attempt(
  kind: string,
  name: string,
  spec: object,
  annotations: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  return server
    .apply(
      { apiVersion, kind, metadata: { name, namespace: HERS, annotations }, spec },
      { user: USER },
    )
    .then(() => true)
    .catch(() => false);
}

const hosts = ['chat.example.com'];
const peers = [{ podLabels: { app: 'db' }, ports: [{ port: 5432 }] }];

/** Every place of a spec in which the name of a Secret stands. */
const naming = (name: string): Readonly<Record<string, object>> => ({
  tls: { hosts, listener: { tls: { secretRef: { name } } } },
  ingress: {
    hosts,
    ingress: { className: 'nginx', tlsSecretRef: { name } },
    trustedProxies: { cidrs: ['10.0.0.0/24'], hops: 1 },
  },
  storage: {
    hosts,
    storage: {
      type: 'PostgreSQL',
      postgresql: {
        runtimeSecretRef: { name },
        migrationSecretRef: { name },
        caSecretRef: { name },
        peers,
      },
    },
  },
  bus: {
    hosts,
    bus: {
      type: 'NATS',
      nats: {
        servers: ['tls://nats.messaging.svc:4222'],
        credentialsSecretRef: { name },
        caSecretRef: { name },
        peers,
      },
    },
  },
  pull: {
    hosts,
    image: {
      repository: 'registry.example.com/sallyport',
      digest: `sha256:${'0'.repeat(64)}`,
      pullSecrets: [name],
    },
  },
  issuer: { hosts, listener: { tls: { certManager: { issuerRef: { name } } } } },
});

/** Everything that she may read, and what the operator says to whoever reads its output. */
async function visibleToHer(): Promise<Readonly<Record<string, string>>> {
  const paths = [
    ...KINDS.map((plural) => `/apis/sallyport.dev/v1alpha1/namespaces/${HERS}/${plural}`),
    ...['configmaps', 'services', 'events', 'serviceaccounts'].map(
      (plural) => `/api/v1/namespaces/${HERS}/${plural}`,
    ),
    ...['deployments', 'statefulsets', 'controllerrevisions'].map(
      (plural) => `/apis/apps/v1/namespaces/${HERS}/${plural}`,
    ),
    `/apis/networking.k8s.io/v1/namespaces/${HERS}/networkpolicies`,
    `/apis/networking.k8s.io/v1/namespaces/${HERS}/ingresses`,
    `/apis/events.k8s.io/v1/namespaces/${HERS}/events`,
  ];
  const read = async (path: string) =>
    [
      path,
      JSON.stringify(await server.admin.call('GET', path, undefined, { user: USER })),
    ] as const;
  return {
    ...Object.fromEntries(await Promise.all(paths.map(read))),
    logs: lines.join('\n'),
    writes: JSON.stringify(running.writes),
    metrics: await running.metrics.text(),
  };
}

/** What must be nowhere: the canaries, and every private key that the operator has made, in both namespaces. */
async function secrets(): Promise<readonly string[]> {
  const made = await Promise.all([HERS, THEIRS].map((one) => managedObjects(server, one)));
  const material = made
    .flat()
    .filter(({ kind }) => kind === 'Secret')
    .flatMap((secret) => Object.entries(secret['data'] as Readonly<Record<string, string>>))
    .filter(([file]) => /key$|pem$/.test(file))
    .flatMap(([, base64]) => Buffer.from(base64, 'base64').toString('utf8').split('\n'))
    .filter((line) => /^[A-Za-z0-9+/]{20,}/.test(line));
  const canaries = [HERS, THEIRS].map((namespace) => `CANARY-${namespace}`);
  const encoded = canaries.map((text) => Buffer.from(text).toString('base64').slice(0, 15));
  return [...canaries, ...encoded, ...material];
}

async function expectNothingShown(): Promise<void> {
  await settled(running, 400);
  const hidden = await secrets();
  expect(hidden.length).toBeGreaterThan(10);
  for (const [sink, text] of Object.entries(await visibleToHer())) {
    expect([sink, hidden.filter((secret) => text.includes(secret))]).toEqual([sink, []]);
  }
}

/** The other namespace, without what changes by itself. */
async function theirs(): Promise<string> {
  const objects = await managedObjects(server, THEIRS);
  return JSON.stringify(
    objects.map((object) => [object.kind, object.metadata.name, object.metadata.resourceVersion]),
  );
}

describe('a user with rights on our kinds and none on Secrets', () => {
  it('T51: can read no Secret herself, and nothing in the other namespace', async () => {
    const status = async (path: string) =>
      (await server.request('GET', path, undefined, { user: USER })).status;
    expect(await status(`/api/v1/namespaces/${HERS}/secrets`)).toBe(403);
    expect(await status(`/api/v1/namespaces/${THEIRS}/configmaps`)).toBe(403);
    expect(await status(`/api/v1/namespaces/${HERS}/configmaps`)).toBe(200);
  });

  it.each(Object.keys(naming('vault')))(
    'T51: learns nothing of a Secret that she names in %s, in her namespace or the other',
    async (place) => {
      const made = await Promise.all(
        NAMES.map((name, index) =>
          attempt('SignalingGateway', `${place}-${index}`, naming(name)[place]!),
        ),
      );
      expect(made).toContain(true);
      await expectNothingShown();
      for (const name of [`../${THEIRS}/vault`, `${THEIRS}/vault`]) {
        await attempt('SignalingGateway', `${place}-path`, naming(name)[place]!);
      }
      await expectNothingShown();
    },
  );

  it('T51: learns nothing of the values of a Secret from what is said about it', async () => {
    await attempt('SignalingGateway', 'tls-said', naming('partial')['tls']!);
    const path = `/apis/sallyport.dev/v1alpha1/namespaces/${HERS}/signalinggateways/tls-said`;
    const said = await eventually('it is judged', async () => {
      const found = (await server.admin.get(path, { user: USER })) as SignalingGateway | undefined;
      return found?.status?.conditions.find(({ reason }) => reason === 'SecretInvalid')?.message;
    });
    expect(said).toContain('partial has no key tls.crt and tls.key');
    await expectNothingShown();
  });

  it('T51: cannot name a Secret of another gateway, whoever made it', async () => {
    const before = await theirs();
    await attempt('SignalingGateway', 'bank', { hosts: ['bank.example.com'] });
    await attempt('SignalingGateway', 'shop', naming('letsencrypt')['issuer']!);
    await attempt('SignalingGateway', 'borrower', naming('bank-gateway-tls')['tls']!);
    await attempt('SignalingGateway', 'thief', naming('shop-gateway-tls')['tls']!);
    for (const name of ['borrower', 'thief']) {
      await eventually(`${name} is refused`, async () => {
        const { conditions = [] } = (await gatewayAt(server, HERS, name)).status ?? {};
        return conditions.some(
          ({ type, reason }) => type === 'Stalled' && reason === 'SecretInvalid',
        );
      });
    }
    await expectNothingShown();
    expect(await theirs()).toBe(before);
  });

  it('T51: joins no pool of the other namespace by naming it, nor has it named by a pool of hers', async () => {
    const before = await theirs();
    const relayPools = [{ name: 'bank', namespace: THEIRS }];
    expect(await attempt('SignalingGateway', 'joins', { hosts, relayPools })).toBe(true);
    const allowedGateways = [{ name: 'bank', namespace: THEIRS }];
    expect(await attempt('RelayPool', 'lures', { region: 'eu-central', allowedGateways })).toBe(
      true,
    );
    await settled(running, 500);
    expect(await theirs()).toBe(before);
    const at = (name: string) =>
      server.admin.get(`/api/v1/namespaces/${HERS}/configmaps/${name}`, { user: USER });
    const relays = (await at('joins-gateway-relays')).data['relays.json'] as string;
    expect(JSON.parse(relays)).toMatchObject({ pools: [], relays: [] });
    const gateways = (await at('lures-relay-gateways')).data['gateways.json'] as string;
    expect(JSON.parse(gateways)).toMatchObject({ gateways: [] });
    await expectNothingShown();
  });

  it('T51: gets nothing by annotations: rotations and revocations stay in her namespace', async () => {
    const before = await theirs();
    const keys = await server.admin.get(
      `/apis/sallyport.dev/v1alpha1/namespaces/${THEIRS}/signalinggateways/bank`,
    );
    const revoke = keys.status.keys[0].kid as string;
    for (const annotations of [
      { 'sallyport.dev/adopt': 'true' },
      { 'sallyport.dev/rotate': 'now' },
      { 'sallyport.dev/revoke': revoke },
      { 'sallyport.dev/owner-namespace': THEIRS, 'sallyport.dev/render': `../${THEIRS}` },
      { 'sallyport.dev/paused-until': `CANARY ${THEIRS}` },
    ]) {
      expect(await attempt('SignalingGateway', 'annotated', { hosts }, annotations)).toBe(true);
      await settled(running, 200);
    }
    await expectNothingShown();
    expect(await theirs()).toBe(before);
  });

  it('T51: edits what stands to name a Secret, and learns as little', async () => {
    expect(await attempt('SignalingGateway', 'edits', { hosts })).toBe(true);
    await settled(running, 200);
    const path = `/apis/sallyport.dev/v1alpha1/namespaces/${HERS}/signalinggateways/edits`;
    for (const name of NAMES) {
      await server.admin.request('PATCH', path, { spec: naming(name)['tls'] }, MERGE);
      await settled(running, 100);
    }
    await expectNothingShown();
  });

  it('T51: reaches nobody with roles and policies that name gateways of the other namespace', async () => {
    const before = await theirs();
    const gateways = { names: ['bank'] };
    const permissions = [{ resource: 'Account', verbs: ['Delete'] }];
    await attempt('AccessRole', 'root', { gateways, permissions, subjects: [aFingerprint()] });
    const session = { atMostSeconds: 60 };
    await attempt('RetentionPolicy', 'shred', { gateways, classes: { session } });
    await settled(running, 500);
    expect(await theirs()).toBe(before);
    await expectNothingShown();
  });
});
