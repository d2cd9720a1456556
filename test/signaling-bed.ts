/*
 * One replica's signaling with connections that keep what they are notified of. Requests are called as the server calls
 * them, after schema and permission.
 */
import { nodeBackend } from '../src/crypto/node.backend.js';
import type { Bus } from '../src/gateway/bus.js';
import { isRefused, type Connection, type Refused } from '../src/gateway/caller.js';
import { createInProcessBus } from '../src/gateway/signaling/in-process.bus.js';
import { SignalingState } from '../src/gateway/signaling/signaling-state.js';
import { createSignaling } from '../src/gateway/signaling/signaling.room.js';
import type { AnswerBody, RequestBody, RequestName } from '../src/messages/requests.js';
import type { CloseName } from '../src/messages/signaling.js';
import { fingerprintOf } from '../src/protocol/identity/account.js';
import { createMetricsRegistry } from '../src/runtime/metrics.registry.js';
import { aPrekey, bytesOf, NOON_MS, type Account } from './identities.js';

export const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** The token number `n` of a test. */
export const aToken = (n: number): string => base64url(Uint8Array.of(n >> 8, n, ...bytesOf(7, 14)));

/** The text of an envelope of `length` bytes that names nobody. */
export const anEnvelope = (length = 512): string => base64url(bytesOf(0xee, length));

/** The text of a first contact from `account`. */
export const anIntroduction = ({ identity, deviceId }: Account): string =>
  base64url(Buffer.concat([identity, deviceId, bytesOf(0xee, 464)]));

/** A connection that keeps its notices. */
export interface TestConnection extends Connection {
  readonly notices: { name: string; body: unknown }[];
  /** Whether it takes no more. */
  full: boolean;
  readonly endedWith: CloseName[];
}

/** The fingerprint of an account. */
export const nameOf = ({ identity }: Account): string => fingerprintOf(nodeBackend, identity);

/** One replica. */
export function aReplica({
  bus = createInProcessBus((bytes) => bytesOf(1, bytes)),
  firstContactsPerHour = 20,
  nowMs = NOON_MS,
}: { bus?: Bus; firstContactsPerHour?: number; nowMs?: number } = {}) {
  const open: TestConnection[] = [];
  const metrics = createMetricsRegistry({ processMetrics: false });
  const state = new SignalingState();
  const time = { nowMs };
  const room = createSignaling(
    {
      bus,
      backend: nodeBackend,
      metrics,
      clock: { now: () => new Date(time.nowMs), monotonicMs: () => time.nowMs },
      settings: () => ({
        rateLimits: {
          connectionsPerAddressPerMinute: 60,
          connectionsPerSecond: 100,
          failedLoginsPerAddressPerMinute: 10,
          firstContactsPerAccountPerHour: firstContactsPerHour,
          liveLeasesPerAccount: 8,
          loginsPerAccountPerHour: 60,
          messagesPerSessionPerSecond: 20,
          socketsPerAccount: 8,
        },
      }),
      connections: {
        of: (account, device) =>
          open.filter(
            ({ caller }) =>
              caller.account === account && (device === undefined || caller.device === device),
          ),
        ofSession: () => [],
        byId: (id) => open.find((one) => one.id === id),
        get count() {
          return open.length;
        },
      },
    },
    state,
  );
  bus.onMessage((message, from) => room.onBus?.(message, from));

  /** Opens a connection of a device, as after its login. */
  const connect = (account: Account, id = `connection-${open.length}-${bus.replica}`) => {
    const connection = aConnection(account, id);
    open.push(connection);
    room.opened?.(connection);
    return connection;
  };
  const disconnect = (connection: TestConnection) => {
    open.splice(open.indexOf(connection), 1);
    room.closed?.(connection);
  };
  const ask = async <Name extends RequestName>(
    connection: Connection,
    name: Name,
    body: RequestBody<Name>,
  ): Promise<AnswerBody<Name> | Refused> => {
    const handler = room.handlers[name];
    if (handler === undefined) throw new Error(`signaling does not answer ${name}`);
    const context = { connection, caller: connection.caller, now: time.nowMs };
    return handler(body, { ...context, become: () => undefined });
  };
  return { room, state, metrics, time, open, connect, disconnect, ask };
}

/** One replica of a test. */
export type TestReplica = ReturnType<typeof aReplica>;

/** An open connection of a device that keeps what it is told. */
export function aConnection(account: Account, id: string): TestConnection {
  const notices: TestConnection['notices'] = [];
  const endedWith: CloseName[] = [];
  return {
    id,
    caller: {
      account: nameOf(account),
      identity: account.identity,
      device: base64url(account.deviceId),
      binding: account.binding,
      revocations: [],
      session: base64url(bytesOf(9, 16)),
      endsAt: NOON_MS + 3_600_000,
      administrator: false,
      mustEnrol: false,
    },
    address: '192.0.2.1',
    notices,
    endedWith,
    full: false,
    notify(name, body) {
      if (this.full) return false;
      notices.push({ name, body });
      return true;
    },
    close: (why) => {
      endedWith.push(why);
    },
  };
}

/** The text of a prekey of the account's device. */
export const prekeyText = (...of: Parameters<typeof aPrekey>): string =>
  base64url(aPrekey(...of).bytes);

/** What a request was refused for; undefined when it was not. */
export const refusalOf = (answer: object): string | undefined =>
  isRefused(answer) ? answer.refused : undefined;
