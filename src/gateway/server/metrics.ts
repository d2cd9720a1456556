/*
 * Metrics of the gateway's server, in one table. Labels are closed lists of at most twelve values; none is ever a user, a
 * session, an address, a path or a name that somebody sent. Every series begins at 0.
 */
import { CLOSE_CODES, REQUEST_REFUSALS, type CloseName } from '../../messages/signaling.js';
import type { Counter, Labels, Metrics } from '../../runtime/metrics.js';
import { networkAnomalies } from '../network-anomalies.js';
import { MESSAGE_REFUSALS } from './message-reader.js';
import { Tally } from './tally.js';
import { UPGRADE_REFUSALS } from './upgrade-decision.js';

/** How a connection ended: what the gateway says when it closes one, or that it was not the gateway. */
export const ENDS = [
  ...(Object.keys(CLOSE_CODES) as CloseName[]),
  'client', // said goodbye, or was gone
  'protocol', // sent what is no WebSocket frame, or one that is too long
  'silent', // did not answer pings
] as const;
/** One of ENDS. */
export type End = (typeof ENDS)[number];

/** Files of the server that are read again when they change. */
export const SERVER_FILES = ['settings', 'public-tls', 'internal-tls', 'relay-trust'] as const;
/** One of SERVER_FILES. */
export type ServerFile = (typeof SERVER_FILES)[number];

/** Files of rooms that are read again when they change. */
export const ROOM_FILES = ['lease-keys', 'relays', 'policy', 'column-keys'] as const;
/** One of ROOM_FILES. */
export type RoomFile = (typeof ROOM_FILES)[number];

/** Why a TLS handshake came to nothing, or a relay was refused after it. */
export const INTERNAL_REFUSALS = [
  'tls',
  'identity',
  'forbidden',
  'bad-request',
  'not-ready',
] as const;
/** One of INTERNAL_REFUSALS. */
export type InternalRefusal = (typeof INTERNAL_REFUSALS)[number];

const LISTENERS = ['public', 'internal'] as const;
const OUTCOMES = ['success', 'failure'] as const;
const CODES = [200, ...new Set<number>(Object.values(REQUEST_REFUSALS))] as const;

const DIRECTIONS = ['in', 'out'] as const;

interface Entry {
  readonly name: string;
  readonly help: string;
  /** Every combination of labels that there is. */
  readonly series: readonly Labels[];
}

const labelled = (label: string, values: readonly (string | number)[]): readonly Labels[] =>
  values.map((value) => ({ [label]: value }));
const outcomes = (reasons: readonly string[]): readonly Labels[] => [
  { outcome: 'success', reason: 'none' },
  ...reasons.map((reason) => ({ outcome: 'failure', reason })),
];

const TABLE = {
  upgrades: {
    name: 'sallyport_gateway_upgrades_total',
    help: 'Requests on the public listener, by whether they became a WebSocket and why not.',
    series: outcomes(UPGRADE_REFUSALS),
  },
  handshakes: {
    name: 'sallyport_gateway_tls_handshakes_total',
    help: 'TLS handshakes, by listener.',
    series: LISTENERS.flatMap((listener) => OUTCOMES.map((outcome) => ({ listener, outcome }))),
  },
  relayUpgrades: {
    name: 'sallyport_gateway_relay_upgrades_total',
    help: 'Connections to the internal listener, by whether a relay may register on them and why not.',
    series: outcomes(INTERNAL_REFUSALS),
  },
  ends: {
    name: 'sallyport_gateway_connections_ended_total',
    help: 'WebSockets of endpoints that ended, by why.',
    series: labelled('reason', ENDS),
  },
  refusedMessages: {
    name: 'sallyport_gateway_messages_refused_total',
    help: 'Messages of endpoints that ended their connection, by what was wrong with them.',
    series: labelled('reason', MESSAGE_REFUSALS),
  },
  undelivered: {
    name: 'sallyport_gateway_notices_undelivered_total',
    help: 'Notices that an endpoint could not take because it does not read.',
    series: [{}],
  },
  files: {
    name: 'sallyport_gateway_file_loads_total',
    help: 'Readings of a mounted file, by whether its content was taken over.',
    series: [...SERVER_FILES, ...ROOM_FILES].flatMap((file) =>
      OUTCOMES.map((outcome) => ({ file, outcome })),
    ),
  },
} as const satisfies Record<string, Entry>;

/** Counters by their key in the table, the one that rooms share, and those that every message counts. */
export interface ServerCounters extends Readonly<
  Record<keyof typeof TABLE | 'anomalies', Counter>
> {
  readonly messages: Tally<(typeof DIRECTIONS)[number]>;
  readonly requests: Tally<(typeof CODES)[number]>;
}

/** Declares the counters, each series at 0. */
export function serverCounters(metrics: Metrics): ServerCounters {
  const counters = Object.entries<Entry>(TABLE).map(([key, { name, help, series }]) => {
    const counter = metrics.counter({ name, help, labelNames: Object.keys(series[0] ?? {}) });
    for (const labels of series) counter.inc(labels, 0);
    return [key, counter] as const;
  });
  const anomalies = networkAnomalies(metrics);
  return {
    // The entries are those of the table.
    ...(Object.fromEntries(counters) as Record<keyof typeof TABLE, Counter>),
    anomalies,
    messages: new Tally(metrics, {
      name: 'sallyport_gateway_messages_total',
      help: 'Messages of and to endpoints.',
      ...{ label: 'direction', values: DIRECTIONS },
    }),
    requests: new Tally(metrics, {
      name: 'sallyport_gateway_requests_total',
      help: 'Answered requests of endpoints, by the HTTP status code of the same meaning.',
      ...{ label: 'code', values: CODES },
    }),
  };
}

/** When a certificate of the gateway ends. */
export interface CertificateDate {
  readonly secret: string;
  readonly purpose: 'public' | 'internal';
  readonly notAfterMs: number;
}

/** What is read at each scrape. */
export interface MeasuredServer {
  readonly version: string;
  readonly namespace: string;
  readonly connections: () => {
    readonly login: number;
    readonly open: number;
    readonly relays: number;
  };
  readonly storageIsUp: () => boolean;
  readonly busIsUp: () => boolean;
  readonly certificates: () => readonly CertificateDate[];
  /** The longest pause of the event loop since the last call, in milliseconds. */
  readonly takeLoopLag: () => number;
  /** Sources that gave way to others in the table of address limits. */
  readonly evictedSources: () => number;
  /** Failed writes of log and audit. */
  readonly lostWrites: () => number;
  readonly backend: string;
}

/** Declares what is read at each scrape. */
export function declareServerGauges(metrics: Metrics, server: MeasuredServer): void {
  declareSockets(metrics, server);
  declareState(metrics, server);
  metrics.gauge({
    name: 'sallyport_certificate_not_after_timestamp_seconds',
    help: 'When a certificate ends, in Unix seconds.',
    labelNames: ['namespace', 'secret', 'purpose'],
    collect: (gauge) => {
      gauge.reset();
      const { namespace } = server;
      for (const { secret, purpose, notAfterMs } of server.certificates())
        gauge.set(notAfterMs / 1_000, { namespace, secret, purpose });
    },
  });
}

function declareSockets(metrics: Metrics, server: MeasuredServer): void {
  metrics.gauge({
    name: 'sallyport_gateway_sockets',
    help: 'Connections now: endpoints that log in, endpoints that are in, relays.',
    labelNames: ['state'],
    collect: (gauge) => {
      const { login, open, relays } = server.connections();
      gauge.set(login, { state: 'login' });
      gauge.set(open, { state: 'open' });
      gauge.set(relays, { state: 'relay' });
    },
  });
  metrics.counter({
    name: 'sallyport_gateway_limited_sources_evicted_total',
    help: 'Sources that gave way to others in the table of address limits: above 0 it is too small for what comes.',
    collect: (counter) => {
      counter.setTotal(server.evictedSources());
    },
  });
}

function declareState(metrics: Metrics, server: MeasuredServer): void {
  const up = (name: string, help: string, isUp: () => boolean) =>
    metrics.gauge({
      name,
      help,
      collect: (gauge) => {
        gauge.set(isUp() ? 1 : 0);
      },
    });
  up('sallyport_gateway_storage_up', '1 while the database takes writes.', server.storageIsUp);
  up('sallyport_gateway_bus_up', '1 while other replicas can be reached.', server.busIsUp);
  metrics.gauge({
    name: 'sallyport_gateway_loop_lag_seconds',
    help: 'Longest pause of the event loop since the last scrape.',
    collect: (gauge) => {
      gauge.set(server.takeLoopLag() / 1_000);
    },
  });
  metrics.counter({
    name: 'sallyport_gateway_lost_output_total',
    help: 'Writes to standard output (audit) and standard error (log) that failed: a full disk, a reader that is gone.',
    collect: (counter) => {
      counter.setTotal(server.lostWrites());
    },
  });
  const info = (name: string, help: string, label: string, value: string) => {
    metrics.gauge({ name, help, labelNames: [label] }).set(1, { [label]: value });
  };
  info('sallyport_build_info', 'Version of this program.', 'version', server.version);
  info(
    'sallyport_crypto_backend_info',
    'Which back end of cryptography is used.',
    'backend',
    server.backend,
  );
}
