import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { createColumnKeys } from '../../src/gateway/storage/column-keys.file.js';
import { runMigrations } from '../../src/gateway/storage/postgres.database.js';
import { systemClock } from '../../src/runtime/system.clock.js';
import { PostgresServer } from '../storage/postgres.js';
import { random } from '../storage/store-bed.js';
import { benchAccounts, enter, inParallel } from './gateway-accounts.js';
import { startBare, startGateway, type Contestant } from './gateway-contestants.js';
import { LoadSocket } from './gateway-socket.js';
import { cpuSeconds } from './relay-contestants.js';
import type { Metric } from './report.js';

const ACCOUNTS = 400;
/** Logins at one time. */
const WIDTH = 32;

type Report = (metric: Metric) => void;

/** Whole logins per second, TLS handshake included, for each kind of storage; and handshakes of the bare server. */
export async function benchLogins(report: Report, ms: number): Promise<void> {
  const bare = await startBare();
  await measure(
    bare,
    ms,
    (index) => LoadSocket.open(bare.place, index),
    (value, busy) => {
      report({
        ...{ bench: 'gateway', metric: 'bare_ws_connections_per_second', unit: '1/s' },
        ...{ value, reference: busy },
      });
    },
  );
  await benchStorage(report, ms, 'SQLite');
  await withPostgres((storage) => benchStorage(report, ms, 'PostgreSQL', storage));
}

async function benchStorage(
  report: Report,
  ms: number,
  backend: string,
  storage?: GatewaySettings['storage'],
): Promise<void> {
  const gateway = await startGateway(storage);
  const accounts = benchAccounts(ACCOUNTS);
  const login = (index: number) =>
    enter(gateway.place, accounts[index % ACCOUNTS]!, index % (ACCOUNTS * 8));
  // Registration is not login: everybody is known when the clock starts.
  await inParallel(ACCOUNTS, WIDTH, async (index) => {
    (await login(index)).cut();
  });
  await measure(gateway, ms, login, (value, busy) => {
    report({
      ...{ bench: 'gateway', metric: 'logins_per_second', unit: '1/s', backend },
      ...{ value, reference: `of known accounts; ${busy}` },
    });
  });
}

/** Connects again and again for `ms`, and stops the server. */
async function measure(
  server: Contestant,
  ms: number,
  connect: (index: number) => Promise<LoadSocket>,
  done: (perSecond: number, busy: string) => void,
): Promise<void> {
  try {
    let [count, index] = [0, 0];
    const [cpu, own, begin] = [cpuSeconds(server.pid), process.cpuUsage(), performance.now()];
    const one = async () => {
      while (performance.now() - begin < ms) {
        (await connect(index++)).cut();
        count++;
      }
    };
    await Promise.all(Array.from({ length: WIDTH }, one));
    const seconds = (performance.now() - begin) / 1_000;
    const { user, system } = process.cpuUsage(own);
    const percent = (used: number) => `${Math.round((100 * used) / seconds)} %`;
    const busy = `server ${percent(cpuSeconds(server.pid) - cpu)} of its core, generator ${percent((user + system) / 1e6)}`;
    done(count / seconds, busy);
  } finally {
    await server.stop();
  }
}

/** A real server that waits for its disk, and a database with the tables of this release. */
async function withPostgres(
  work: (storage: GatewaySettings['storage']) => Promise<void>,
): Promise<void> {
  const postgres = await PostgresServer.start({ durable: true });
  try {
    const database = await postgres.createDatabase();
    await runMigrations(database.settings, database.migrationUriFile, { clock: systemClock });
    const keys = join(dirname(dirname(database.settings.storage.uriFile)), 'column-keys');
    await mkdir(keys);
    await createColumnKeys(join(keys, 'keys.json'), random);
    await work(database.settings.storage);
  } finally {
    await postgres.stop();
  }
}
