/*
 * S209: three boundaries, as reachability and as keys. Both are computed from what every sample becomes and compared
 * with the tables of docs/threat-model.md, so that a wider policy or one more mounted Secret is a change of that page.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadAll } from 'js-yaml';
import type { RelayPool } from '../../src/kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../../src/kinds/signaling-gateway.gen.js';
import type { KubernetesObject } from '../../src/kubernetes/object.js';
import { CREATED } from '../builders.js';
import { schemaOf, withDefaults } from '../defaulting.js';
import { keyMounts } from '../network/key-mounts.js';
import { endpointsIn, mayConnect, reachability } from '../network/reachability.js';
import type { Endpoint, World } from '../network/reachability.js';
import { authority, observedGateway, planAt } from './rooms/observed-gateway.js';
import { observedPool, planPoolAt } from './rooms/observed-relay-pool.js';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLES = join(ROOT, 'config/samples');
const PAGE = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8');
const NAMESPACE = 'demo';

function samples(prefix: string): readonly (SignalingGateway | RelayPool)[] {
  const files = readdirSync(SAMPLES).filter((file) => file.startsWith(prefix));
  return files.map((file, index) => {
    const [document] = loadAll(readFileSync(join(SAMPLES, file), 'utf8')) as [RelayPool];
    // Two samples of one name are two resources here: the name of the file tells them apart.
    const name = file.replace('.yaml', '');
    const uid = `00000000-0000-4000-8000-${prefix.length}0000000000${index}`;
    const metadata = { name, namespace: NAMESPACE, uid, generation: 1, creationTimestamp: CREATED };
    const { spec } = withDefaults(schemaOf(document.kind), document) as RelayPool;
    return { ...document, metadata, spec: withoutPartners(spec) };
  });
}

/** Whom a sample names is its story; here each uses and allows those of its namespace. */
function withoutPartners(spec: RelayPool['spec']): RelayPool['spec'] {
  const entries = Object.entries(spec).filter(
    ([field]) => !['relayPools', 'allowedGateways'].includes(field),
  );
  return Object.fromEntries(entries) as unknown as RelayPool['spec'];
}

const gateways = samples('gateway-') as readonly SignalingGateway[];
const pools = samples('pool-') as readonly RelayPool[];
const objects: readonly KubernetesObject[] = [
  ...gateways.flatMap((gateway) => {
    const observed = observedGateway(gateway, { pools, authorities: [authority(NAMESPACE)] });
    return planAt(observed).plan.apply;
  }),
  ...pools.flatMap((pool) => {
    const seen = gateways.map((gateway) => ({ gateway, leaseKeys: undefined, ca: undefined }));
    return planPoolAt(observedPool(pool, { gateways: seen })).plan.apply;
  }),
];

const tcp = (...ports: number[]) => ports.map((port) => ({ name: '', port, protocol: 'TCP' }));
const udp = (...ports: number[]) => ports.map((port) => ({ name: '', port, protocol: 'UDP' }));

/** Who else there is. Ports are those that somebody would try. */
const others: readonly Endpoint[] = [
  { name: 'client', address: '203.0.113.5', ports: [...tcp(443), ...udp(53, 40_000)] },
  { name: 'API server', address: '192.0.2.10', ports: [...tcp(443, 6443), ...udp(6443)] },
  { name: 'metadata service', address: '169.254.169.254', ports: [...tcp(80), ...udp(8080)] },
  { name: 'a Service', address: '10.96.0.20', ports: [...tcp(443), ...udp(8080)] },
  // Where the samples have them: gateway-secret by address, gateway-ha as pods.
  {
    name: 'database pod',
    namespace: NAMESPACE,
    labels: { 'cnpg.io/cluster': 'edge-database' },
    ports: tcp(5432),
  },
  {
    name: 'NATS pod',
    namespace: 'messaging',
    labels: { 'app.kubernetes.io/name': 'nats' },
    ports: tcp(4222),
  },
  { name: 'database', address: '10.20.30.40', ports: tcp(5432) },
  { name: 'message bus', address: '10.20.31.6', ports: tcp(4222) },
  { name: 'ingress proxy', address: '10.0.12.7', ports: tcp(443) },
  { name: 'log collector', address: '198.51.100.10', ports: tcp(443, 6514) },
  {
    name: 'cluster DNS',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns' },
    ports: [...tcp(53), ...udp(53)],
  },
  { name: 'monitoring', namespace: 'monitoring', labels: { app: 'prometheus' }, ports: tcp(9090) },
  { name: 'neighbour', namespace: NAMESPACE, labels: { app: 'shop' }, ports: tcp(80, 5432) },
  { name: 'pod of another tenant', namespace: 'other', labels: { app: 'shop' }, ports: tcp(80) },
];
const world: World = { objects, others };

const ours = endpointsIn(objects);
function endpointOf(wanted: string): Endpoint {
  return [...ours, ...others].find(({ name }) => name === wanted)!;
}
const isOurs = (name: string) => name.startsWith(`${NAMESPACE}/`);
const short = (name: string) => name.replace(`${NAMESPACE}/`, '');
const rowsOf = (cells: readonly (readonly string[])[]) =>
  [...new Set(cells.map((row) => row.join(' | ')))].sort();

/** Every connection with one of our pods at an end. A door through which all others come is open to anyone. */
const reached = rowsOf(
  reachability(world)
    .filter(({ from, to }) => isOurs(from) || isOurs(to))
    .map((reach) => {
      const { from, to, port, protocol } = reach;
      const door = { to: endpointOf(to), port, protocol };
      const open = others.every((stranger) => mayConnect(world, { from: stranger, ...door }));
      const source = open && !isOurs(from) ? 'anyone' : short(from);
      return [source, short(to), `${port}/${protocol}`];
    }),
);
const mounted = rowsOf(
  keyMounts(objects).map(({ where, secret, files }) => [
    short(where),
    secret,
    files === undefined ? 'all' : files.join(', '),
  ]),
);

/** The rows of the table between two marks of the page. */
function table(mark: string): readonly string[] {
  const [, between = ''] = PAGE.split(new RegExp(`<!-- ${mark}: (?:begin|end) -->`));
  return between
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
        .join(' | '),
    );
}

describe('the threat model', () => {
  it('S209: says who reaches whom on which port, as the rendered network policies do', () => {
    expect(reached).toEqual(table('reachability'));
  });

  it('S209: says who mounts which key, as the rendered pods do', () => {
    expect(mounted).toEqual(table('mounts'));
  });
});

describe('a relay', () => {
  const relays = reachability(world).filter(({ from }) => from.endsWith('-relay'));

  it.each([
    'API server',
    'metadata service',
    'a Service',
    'database',
    'database pod',
    'message bus',
    'NATS pod',
    'log collector',
    'neighbour',
    'pod of another tenant',
  ])('S209: never reaches %s', (name) => {
    expect(relays.filter(({ to }) => to === name)).toEqual([]);
  });

  it('S209: reaches clients over UDP only, and no port below 1024', () => {
    const toClients = relays.filter(({ to }) => to === 'client');
    expect([...new Set(toClients.map(({ port, protocol }) => `${port}/${protocol}`))]).toEqual([
      '40000/UDP',
    ]);
  });

  it('S209: is reached by nobody on its metrics port but the monitoring namespace it names', () => {
    const scraped = reachability(world).filter(
      ({ to, port }) => to.endsWith('-relay') && port === 9090,
    );
    expect([...new Set(scraped.map(({ from }) => from))]).toEqual(['monitoring']);
  });

  it('S13: mounts one private key, that of its own certificate', () => {
    const ofRelays = keyMounts(objects).filter(({ where }) => where.endsWith(' relay'));
    expect(ofRelays.length).toBe(pools.length);
    for (const { where, secret, files } of ofRelays) {
      expect(secret).toBe(`${short(where).split(' ')[0]}-tls`);
      expect(files).toEqual(['tls.crt', 'tls.key']);
    }
  });

  it('S209: of a gateway that is not permitted does not reach it', () => {
    const [pool] = pools;
    const lonely = planPoolAt(observedPool(pool!)).plan.apply;
    const alone: World = {
      objects: [
        ...objects.filter((o) => !o.metadata.name.startsWith(pool!.metadata.name)),
        ...lonely,
      ],
      others,
    };
    const lines = reachability(alone).filter(
      ({ from }) => from === `${NAMESPACE}/${pool!.metadata.name}-relay`,
    );
    expect(lines.filter(({ port }) => port === 9443)).toEqual([]);
  });
});

describe('no Secret of a CA or of the policy key', () => {
  it('S21: is mounted by any pod', () => {
    const secrets = keyMounts(objects).map(({ secret }) => secret);
    expect(secrets.filter((name) => name === 'sallyport-ca' || name.includes('policy'))).toEqual(
      [],
    );
  });
});

describe('the computation', () => {
  it('finds a way that a wider policy opens', () => {
    const wide = objects.map((object) =>
      object.kind === 'NetworkPolicy'
        ? { ...object, spec: { ...(object['spec'] as object), egress: [{}] } }
        : object,
    );
    const database = others.find(({ name }) => name === 'database')!;
    const relay = { name: 'r', namespace: NAMESPACE, labels: labelsOfRelay(), ports: [] };
    const attempt = { from: relay, to: database, port: 5432, protocol: 'TCP' };
    expect(mayConnect(world, attempt)).toBe(false);
    expect(mayConnect({ objects: wide, others }, attempt)).toBe(true);
  });
});

function labelsOfRelay(): Readonly<Record<string, string>> {
  const workload = objects.find(
    ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name.endsWith('-relay'),
  )!;
  const spec = workload['spec'] as {
    readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
  };
  return spec.template.metadata.labels;
}

/** Prints the two tables for the page: run with PRINT_TABLES=1. */
if (process.env['PRINT_TABLES'] === '1') {
  const print = (rows: readonly string[]) => rows.map((row) => `| ${row} |`).join('\n');
  process.stderr.write(`@@R\n${print(reached)}\n@@M\n${print(mounted)}\n@@E\n`);
}
