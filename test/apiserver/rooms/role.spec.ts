import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccessRole } from '../../../src/kinds/access-role.gen.js';
import { aFingerprint } from '../../builders.js';
import type { Json } from '../bed/admin.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { gatewayAt } from './gateway-rooms.js';
import { allRooms } from './pool-rooms.js';

const NAMESPACE = 'roles';
const ROLES = `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/accessroles`;
const CHAT = [{ resource: 'Chat', verbs: ['Send', 'Receive'] }];

let server: TestApiServer;
let running: TestEngine;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  running = startEngine(server, { reconcilers: allRooms });
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name: 'edge', namespace: NAMESPACE },
    spec: { hosts: ['chat.example.com'] },
  });
  await settled(running, 400);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyRole(name: string, spec: object = {}, annotations = {}): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'AccessRole',
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: { gateways: { names: ['edge'] }, permissions: CHAT, ...spec },
  });
}

const role = async (name: string) => (await server.admin.get(`${ROLES}/${name}`)) as AccessRole;
const remove = (name: string) => server.admin.call('DELETE', `${ROLES}/${name}`);
const conditionOf = async (name: string, type: string) =>
  (await role(name)).status?.conditions.find((condition) => condition.type === type);
const configMap = (): Promise<Json> =>
  server.admin.get(`/api/v1/namespaces/${NAMESPACE}/configmaps/edge-gateway-policy`);
const signed = async () => {
  const map = await configMap();
  return JSON.parse(map.data['bundle.json'] as string) as {
    readonly bundle: string;
    readonly kid: string;
    readonly signature: string;
  };
};
interface Bundle {
  readonly gateway: string;
  readonly serial: number;
  readonly roles: readonly { readonly name: string; readonly subjects: readonly string[] }[];
}
const bundle = async () => JSON.parse((await signed()).bundle) as Bundle;
const namesIn = async () =>
  (await configMap()) ? (await bundle()).roles.map(({ name }) => name) : [];
const workload = () =>
  server.admin.get(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/edge-gateway`);

describe('a gateway without a role', () => {
  it('S114: has no bundle at all, which denies everything', async () => {
    expect(await configMap()).toBeUndefined();
    expect((await gatewayAt(server, NAMESPACE, 'edge')).status?.policyBundle).toBeUndefined();
  });
});

describe('an AccessRole', () => {
  it('reaches its gateway as a signed bundle, and no pod template changes', async () => {
    const before = (await workload()).metadata.generation;
    await applyRole('user', { subjects: [aFingerprint()] });
    await eventually('Ready', async () => (await conditionOf('user', 'Ready'))?.status === 'True');
    const { metadata, status } = await gatewayAt(server, NAMESPACE, 'edge');
    expect(await bundle()).toMatchObject({ gateway: metadata.uid, serial: 1 });
    expect(await namesIn()).toEqual(['user']);
    expect(status?.policyBundle).toMatchObject({ serial: 1, configMap: 'edge-gateway-policy' });
    expect((await role('user')).status?.gateways).toEqual([{ name: 'edge', serial: 1 }]);
    expect((await workload()).metadata.generation).toBe(before);
  });

  it('is signed with the key that the settings of the gateway name', async () => {
    const settings = await server.admin.get(
      `/api/v1/namespaces/${NAMESPACE}/configmaps/edge-gateway-settings`,
    );
    const { policy } = JSON.parse(settings.data['settings.json'] as string) as {
      readonly policy: { readonly publicKeys: readonly string[] };
    };
    const { bundle: text, signature } = await signed();
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(text));
    const label = Buffer.from('sallyport policy bundle v1\0', 'ascii');
    const message = Buffer.concat([label, length, Buffer.from(text)]);
    const verifies = policy.publicKeys.map((x) =>
      verify(
        null,
        message,
        createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }),
        Buffer.from(signature, 'base64url'),
      ),
    );
    expect(verifies).toContain(true);
  });

  it('that changes gives a higher serial; one that does not gives no call', async () => {
    await applyRole('user', { subjects: [aFingerprint()], auditLevel: 'Maximum' });
    await eventually('serial 2', async () => (await bundle()).serial === 2);
    await settled(running, 400);
    const since = await server.auditMark();
    await applyRole('user', { subjects: [aFingerprint()], auditLevel: 'Maximum' }, { note: 'x' });
    await settled(running, 400);
    expect((await server.callsOf(running.user, { since })).counts).toEqual({});
  });

  it('drops out at its end, by itself', async () => {
    const end = new Date(Date.now() + 3_000);
    await applyRole('short', { expiresAt: `${end.toISOString().slice(0, 19)}Z` });
    await eventually('in', async () => (await namesIn()).includes('short'));
    await eventually('out', async () => !(await namesIn()).includes('short'));
    await eventually('said', async () => {
      return (await conditionOf('short', 'Expired'))?.status === 'True';
    });
    await remove('short');
  });

  it('for a gateway that does not exist says which', async () => {
    await applyRole('lost', { gateways: { names: ['nowhere'] } });
    await eventually('stalled', async () => {
      return (await conditionOf('lost', 'Stalled'))?.reason === 'GatewayNotFound';
    });
    expect((await conditionOf('lost', 'Stalled'))?.message).toContain('nowhere');
    await remove('lost');
  });

  it('does not take a subject that an older, conflicting role has', async () => {
    const [bob, eve] = [aFingerprint('bob'), aFingerprint('eve')];
    await applyRole('keeper', { subjects: [bob] });
    await eventually('in', async () => (await namesIn()).includes('keeper'));
    // Creation times have whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await applyRole('taker', { subjects: [bob, eve], conflictsWith: ['keeper'] });
    await eventually('in', async () => (await namesIn()).includes('taker'));
    const subjects = (await bundle()).roles.map((one) => [one.name, one.subjects]);
    expect(subjects).toEqual(
      expect.arrayContaining([
        ['keeper', [bob]],
        ['taker', [eve]],
      ]),
    );
    await eventually('said', async () => {
      return (await conditionOf('taker', 'DutiesSeparated'))?.reason === 'SubjectsConflict';
    });
    await remove('keeper');
    await remove('taker');
  });

  it('that is paused stays in the bundle as it was, while others change', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await applyRole('user', { auditLevel: 'Minimal' }, { 'sallyport.dev/paused-until': until });
    await applyRole('other', {});
    await eventually('the other', async () => (await namesIn()).includes('other'));
    await settled(running, 300);
    const held = (await bundle()).roles.find(({ name }) => name === 'user');
    expect(held).toMatchObject({ auditLevel: 'Maximum' });
    await applyRole('user', { auditLevel: 'Minimal' });
    await eventually('it goes on', async () => {
      const now = (await bundle()).roles.find(({ name }) => name === 'user');
      return (now as { readonly auditLevel?: string }).auditLevel === 'Minimal';
    });
    await remove('other');
  });

  it('T51: of a forger is replaced by a newly signed bundle', async () => {
    await settled(running, 300);
    const { serial } = await bundle();
    await server.admin.call(
      'PATCH',
      `/api/v1/namespaces/${NAMESPACE}/configmaps/edge-gateway-policy`,
      { data: { 'bundle.json': '{"bundle":"{}"}' } },
      { contentType: 'application/merge-patch+json' },
    );
    await eventually(
      'signed again',
      async () => ((await bundle()).serial as number | undefined) === serial + 1,
    );
  });

  it('writes nothing after a restart with an empty memory', async () => {
    await settled(running, 400);
    await running.stop();
    const since = await server.auditMark();
    running = startEngine(server, { reconcilers: allRooms });
    await settled(running, 600);
    const { entries } = await server.callsOf(running.user, { since });
    const resources = entries.filter(({ objectRef }) => objectRef !== undefined);
    expect(resources.filter(({ verb }) => !['list', 'watch'].includes(verb))).toEqual([]);
  });

  it('that was the last leaves a bundle without roles, with a higher serial', async () => {
    const { serial } = await bundle();
    await remove('user');
    await eventually('empty', async () => (await namesIn()).length === 0);
    expect((await bundle()).serial).toBe(serial + 1);
  });
});
