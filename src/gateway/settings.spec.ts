import { describe, expect, it } from '@jest/globals';
import type { TSchema } from 'typebox';
import { readSettings } from '../runtime/settings.js';
import { restartPart } from '../runtime/live-settings.js';
import { GATEWAY_PATHS, GATEWAY_SETTINGS } from './settings.js';
import type { GatewaySettings } from './settings.js';

const settings: GatewaySettings = {
  version: 1,
  installId: 'install-1',
  gateway: {
    namespace: 'demo',
    name: 'edge',
    uid: 'u-1',
    identity: 'spiffe://install-1.sallyport/ns/demo/SignalingGateway/edge',
  },
  listeners: {
    public: { port: 8443, addresses: [] },
    internal: { port: 9443, addresses: [] },
    health: { port: 9090, addresses: [] },
  },
  tls: {
    public: {
      certificateFile: '/etc/sallyport/tls/tls.crt',
      keyFile: '/etc/sallyport/tls/tls.key',
    },
    internal: {
      certificateFile: '/etc/sallyport/internal-tls/tls.crt',
      keyFile: '/etc/sallyport/internal-tls/tls.key',
    },
  },
  trustFile: `${GATEWAY_PATHS.trust}/ca.crt`,
  keys: { directory: GATEWAY_PATHS.leaseKeys, indexFile: `${GATEWAY_PATHS.leaseKeys}/keys.json` },
  relays: {
    directoryFile: `${GATEWAY_PATHS.relays}/relays.json`,
    trustDirectory: GATEWAY_PATHS.relays,
  },
  policy: { bundleFile: `${GATEWAY_PATHS.policy}/bundle.json`, publicKeys: [] },
  hosts: ['gw.example.org'],
  allowedOrigins: [],
  trustedProxies: { cidrs: [], hops: 0, required: false },
  rateLimits: {
    connectionsPerAddressPerMinute: 60,
    connectionsPerSecond: 200,
    failedLoginsPerAddressPerMinute: 20,
    firstContactsPerAccountPerHour: 20,
    liveLeasesPerAccount: 8,
    loginsPerAccountPerHour: 60,
    messagesPerSessionPerSecond: 50,
    socketsPerAccount: 8,
  },
  authentication: {
    administrators: [],
    registration: 'Approval',
    lockout: { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 },
    secondFactors: { allowed: [], requiredFor: 'Nobody' },
    sessions: { idleTimeoutSeconds: 1800, absoluteTimeoutSeconds: 43_200 },
    deviceApproval: 'Automatic',
  },
  leases: { lifetimeSeconds: 600 },
  audit: { level: 'Standard', onFailure: 'Block' },
  storage: { type: 'Embedded', directory: '/var/lib/sallyport' },
  bus: { type: 'InProcess' },
  retention: {
    deletion: 'Enabled',
    secureDeletion: { cryptographicErasure: true, receipts: true },
    classes: {},
    legalHolds: [],
  },
  cryptoProfile: 'Standard',
  logLevel: 'info',
};
const read = (change: object) =>
  readSettings(GATEWAY_SETTINGS, { ...settings, ...change }, 'settings.json');

describe('settings of a gateway', () => {
  it('are read as they were written', () => {
    expect(read({})).toEqual(settings);
  });

  it.each([
    ['an unknown value', { insecure: true }, /insecure/],
    [
      'a lease that outlives its bound',
      { leases: { lifetimeSeconds: 3601 } },
      /lifetimeSeconds.*3600/s,
    ],
    ['another crypto profile', { cryptoProfile: 'None' }, /cryptoProfile/],
    ['a version from the future', { version: 2 }, /version/],
    ['a path that climbs', { trustFile: 'etc/ca.crt' }, /trustFile/],
    ['a kind of storage that does not exist', { storage: { type: 'Memory' } }, /storage/],
    [
      'a privileged port',
      { listeners: { ...settings.listeners, public: { port: 443, addresses: [] } } },
      /port/,
    ],
  ])('refuse %s, by name', (_, change, message) => {
    expect(() => read(change)).toThrow(message);
  });

  it('have no switch for TLS, plaintext or authentication', () => {
    const names = leaves(GATEWAY_SETTINGS).map(({ path }) => path.toLowerCase());
    expect(names.filter((name) => /insecure|plaintext|disable|skip|debugkey/.test(name))).toEqual(
      [],
    );
  });
});

describe('the schema', () => {
  it('explains every value', () => {
    const silent = leaves(GATEWAY_SETTINGS).filter(({ schema }) => !('description' in schema));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('bounds every number, string and list', () => {
    const unbounded = leaves(GATEWAY_SETTINGS).filter(({ schema }) => !isBounded(schema));
    expect(unbounded.map(({ path }) => path)).toEqual([]);
  });

  it('takes up limits, origins, authentication, retention and log level live', () => {
    const changed = {
      ...settings,
      logLevel: 'debug',
      allowedOrigins: ['https://a.example'],
      leases: { lifetimeSeconds: 60 },
      retention: { ...settings.retention, deletion: 'Suspended' },
    };
    expect(restartPart(GATEWAY_SETTINGS, changed)).toEqual(restartPart(GATEWAY_SETTINGS, settings));
  });

  it('needs a new process for listeners, storage and bus', () => {
    const part = (change: object) => restartPart(GATEWAY_SETTINGS, { ...settings, ...change });
    const before = part({});
    expect(part({ bus: { type: 'NATS', servers: ['tls://n:4222'] } })).not.toEqual(before);
    expect(part({ storage: { type: 'Embedded', directory: '/data' } })).not.toEqual(before);
    expect(
      part({ listeners: { ...settings.listeners, public: { port: 8444, addresses: [] } } }),
    ).not.toEqual(before);
  });
});

interface Leaf {
  readonly path: string;
  readonly schema: TSchema & Readonly<Record<string, unknown>>;
}

function leaves(schema: TSchema, path = ''): Leaf[] {
  const node = schema as Leaf['schema'] & {
    properties?: Record<string, TSchema>;
    anyOf?: TSchema[];
  };
  if (node.properties !== undefined)
    return Object.entries(node.properties).flatMap(([name, part]) =>
      leaves(part, `${path}.${name}`),
    );
  if (node.anyOf?.some((branch) => 'properties' in branch) === true)
    return node.anyOf.flatMap((branch) => leaves(branch, path));
  const { items } = node as { items?: TSchema };
  if (items !== undefined && 'properties' in items)
    return [{ path, schema: node }, ...leaves(items, `${path}[]`)];
  return [{ path, schema: node }];
}

function isBounded(schema: Leaf['schema']): boolean {
  switch (schema['type']) {
    case 'integer':
      return 'minimum' in schema && 'maximum' in schema;
    case 'string':
      return 'maxLength' in schema || 'pattern' in schema || 'const' in schema;
    case 'array':
      return 'maxItems' in schema;
    default:
      return true;
  }
}
