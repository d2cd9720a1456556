import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { NamedSecrets } from '../../../src/operator/keys/named-secrets.reader.js';
import {
  secretNeeds,
  secretsToRead,
} from '../../../src/operator/signaling-gateway/configuration.js';
import { aReplicatedGateway, aSignalingGateway } from '../../builders.js';
import { selfSigned } from '../../apiserver/rbac-certificate.js';
import { StoreCluster } from '../../store.cluster.js';
import {
  afterwards,
  condition,
  edited,
  goodSecrets,
  kinds,
  observedGateway,
  planAt,
} from './observed-gateway.js';

const gateway = aSignalingGateway({ listener: { tls: { secretRef: { name: 'mine' } } } });
const EVERY_SECONDS = 300;
const base64 = (data: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
const PAIR = base64(await selfSigned(gateway.spec.hosts));
const OTHER = base64(await selfSigned(gateway.spec.hosts));

let cluster: StoreCluster;
let seconds: number;
let secrets: NamedSecrets;

const write = (name: string, data: Readonly<Record<string, string>>) =>
  cluster.write({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    data,
  });
const look = async (of: SignalingGateway = gateway) => {
  cluster.calls.length = 0;
  const found = await secrets.of('default', secretsToRead(of), secretNeeds(of));
  return { found, calls: cluster.calls.length };
};

beforeEach(() => {
  cluster = new StoreCluster();
  seconds = 0;
  const clock = { monotonicMs: () => seconds * 1000 };
  secrets = new NamedSecrets({ cluster, clock, checkEverySeconds: EVERY_SECONDS });
});

describe('a Secret that a gateway names', () => {
  beforeEach(() => {
    write('mine', PAIR);
  });

  it('is read once, and again when its time is over', async () => {
    expect((await look()).calls).toBe(1);
    for (seconds of [0, 60, 280]) expect((await look()).calls).toBe(0);
    seconds = EVERY_SECONDS;
    expect((await look()).calls).toBe(1);
    expect((await look()).calls).toBe(0);
  });

  it('S21: is remembered by the names of its keys, never by a value', async () => {
    write('mine', { 'tls.crt': 'Q0FOQVJZ', 'tls.key': 'Q0FOQVJZ' });
    const { found } = await look();
    const facts = { keys: ['tls.crt', 'tls.key'], managed: false, keyFits: false };
    expect(found).toEqual({ mine: facts });
    expect((await look()).found).toEqual(found);
  });

  it('is read in each pass while something is wrong with it, so that putting it right shows', async () => {
    for (const wrong of [
      { 'tls.crt': PAIR['tls.crt']! },
      { ...PAIR, 'tls.crt': 'eA==' },
      { ...PAIR, 'tls.key': OTHER['tls.key']! },
    ]) {
      write('mine', wrong);
      seconds += EVERY_SECONDS;
      expect((await look()).calls).toBe(1);
      expect((await look()).calls).toBe(1);
    }
    write('mine', PAIR);
    expect((await look()).found['mine']).toMatchObject({ keys: ['tls.crt', 'tls.key'] });
    expect((await look()).calls).toBe(0);
  });

  it.each([
    ['text', { ...PAIR, 'tls.crt': 'eA==' }, 'tls.crt of Secret mine holds no certificate'],
    ['no key', { ...PAIR, 'tls.key': 'eA==' }, 'is not the key of its certificate'],
    ['the key of another', { ...PAIR, 'tls.key': OTHER['tls.key']! }, 'is not the key of its cert'],
  ])(
    'with %s instead stalls, and no pod is replaced by one that cannot serve',
    async (_, data, says) => {
      write('mine', data);
      const running = afterwards(observedGateway(aSignalingGateway()), { ready: 1 });
      const { found } = await look();
      const observed = { ...edited(running, { listener: gateway.spec.listener }), secrets: found };
      expect(condition(observed, 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'SecretInvalid',
      });
      expect(condition(observed, 'Stalled')?.message).toContain(says);
      const { plan } = planAt(observed);
      expect(plan.prune).toBe('Nothing');
      expect(kinds(plan.apply)).not.toContain('StatefulSet');
      write('mine', PAIR);
      const right = { ...observed, secrets: (await look()).found };
      expect(condition(right, 'Stalled')?.status).toBe('False');
      expect(kinds(planAt(right).plan.apply)).toContain('StatefulSet');
    },
  );

  it('that is gone is noticed when its time is over', async () => {
    await look();
    cluster.delete(
      cluster.stored({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'mine' })!,
    );
    seconds = EVERY_SECONDS;
    expect((await look()).found).toEqual({ mine: 'Missing' });
  });

  it('that cannot be read is said to be so, and does not keep others from being read', async () => {
    const replicated = aReplicatedGateway({ listener: { tls: { secretRef: { name: 'mine' } } } });
    const names = Object.keys(goodSecrets(replicated));
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) write(name, { uri: 'eA==', 'tls.crt': 'eA==', 'tls.key': 'eA==' });
    const read = cluster.read.bind(cluster);
    cluster.read = (ref) => (ref.name === names[0] ? Promise.reject(new Error('away')) : read(ref));
    const { found } = await look(replicated);
    expect(found[names[0]!]).toBe('Unreadable');
    expect(found[names[1]!]).toMatchObject({ managed: false });
    cluster.read = read;
    expect((await look(replicated)).found[names[0]!]).not.toBe('Unreadable');
  });
});

describe('a gateway with a Secret that cannot be read', () => {
  const replicated = aReplicatedGateway();
  const running = afterwards(observedGateway(replicated), { ready: 2 });
  const [name] = Object.keys(goodSecrets(replicated));
  const observed = { ...running, secrets: { ...running.secrets, [name!]: 'Unreadable' as const } };

  it('says so, keeps what runs, goes on with everything else, and tries again soon', () => {
    expect(condition(observed, 'ReferencesResolved')).toMatchObject({
      status: 'False',
      reason: 'SecretUnreadable',
    });
    const { plan } = planAt(observed);
    expect(kinds(plan.apply)).toContain('ConfigMap');
    expect(kinds(plan.apply)).not.toContain('Deployment');
    expect(plan.prune).toBe('Nothing');
    expect(plan.requeueAfterMs).toBe(30_000);
  });

  it('says so of the one that cert-manager writes, too', () => {
    const issued = aSignalingGateway({
      listener: { tls: { certManager: { issuerRef: { name: 'letsencrypt' } } } },
    });
    const seen = observedGateway(issued, { secrets: { 'edge-gateway-tls': 'Unreadable' } });
    expect(condition(seen, 'Stalled')?.reason).toBe('SecretUnreadable');
    const missing = observedGateway(issued, { secrets: { 'edge-gateway-tls': 'Missing' } });
    expect(condition(missing, 'Stalled')?.status).toBe('False');
  });
});

describe("T51: another gateway's Secret", () => {
  const neighbour = aSignalingGateway({
    metadata: { name: 'bank', uid: 'bank' },
    listener: { tls: { certManager: { issuerRef: { name: 'letsencrypt' } } } },
  });
  const naming = (secret: string) =>
    aSignalingGateway({ listener: { tls: { secretRef: { name: secret } } } });

  it.each(['bank-gateway-tls', 'bank-gateway-internal-tls', 'bank-gateway-lease-keys'])(
    '%s is not for this one to name, whoever made it',
    (secret) => {
      const own = naming(secret);
      const observed = observedGateway(own, { neighbours: [neighbour] });
      expect(condition(observed, 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'SecretInvalid',
        message: expect.stringContaining('Name a Secret of your own'),
      });
      expect(kinds(planAt(observed).plan.apply)).not.toContain('StatefulSet');
    },
  );

  it('is told by its name: one that only looks alike is a Secret of the user', () => {
    const observed = observedGateway(naming('shop-gateway-tls'), { neighbours: [neighbour] });
    expect(condition(observed, 'Stalled')?.status).toBe('False');
  });
});
