import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { SCHEMA, TABLE_NAMES } from '../../src/gateway/storage/tables.js';
import { anAccount, type Account } from '../identities.js';
import { TestEndpoint } from '../processes/gateway-endpoint.js';
import { anEnvelope, aToken, nameOf } from '../signaling-bed.js';
import { until } from './bus-replicas.js';
import { bodyOf, GatewayBed } from './gateway-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x20);
const REPLICAS = [0, 1, 2];
const UNAVAILABLE = { type: 'refused', reason: 'unavailable', retryAfterSeconds: 5 };

let bed: GatewayBed;
beforeAll(async () => {
  bed = await GatewayBed.start();
});
afterAll(async () => {
  await (bed as GatewayBed | undefined)?.stop(); // Undefined when it never started.
});

/** One login; gives what is said to it. */
async function attempt(account: Account, at: number) {
  const endpoint = await TestEndpoint.open(bed.place(at));
  const answer = await endpoint.login(account);
  return { endpoint, answer };
}

/** Sends envelopes from one to the other at two replicas, and waits for them. */
async function talk(from: TestEndpoint, to: TestEndpoint, token: string): Promise<void> {
  const arrived = () => to.received.filter(({ type }) => type === 'notice').length;
  const before = arrived();
  for (let i = 0; i < 5; i++)
    bodyOf(await from.request('envelope.send', { token, envelope: anEnvelope() }));
  await until('all have arrived', () => arrived() === before + 5);
}

/** A way in which the database fails, and how that ends. */
type Trouble = () => Promise<() => Promise<unknown>>;

const standsStill: Trouble = () => {
  bed.postgres.pause();
  return Promise.resolve(() => {
    bed.postgres.resume();
    return Promise.resolve();
  });
};

const isGone: Trouble = async () => {
  await bed.postgres.kill();
  return () => bed.postgres.restart();
};

/** As a standby after a failover, to which the name of the database leads. */
const takesNoWrites: Trouble = async () => {
  const { runtime } = bed.database;
  const admin = (text: string) => bed.database.admin(text);
  const reconnect = `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${runtime}'`;
  await admin(`alter role ${runtime} set default_transaction_read_only = on`);
  await admin(reconnect);
  return async () => {
    await admin(`alter role ${runtime} reset default_transaction_read_only`);
    await admin(reconnect);
  };
};

/** Somebody holds every table, so that each call is too slow. */
const isTooSlow: Trouble = async () => {
  const holder = new pg.Client({ connectionString: bed.database.uri(bed.database.owner) });
  await holder.connect();
  const tables = TABLE_NAMES.map((name) => `${SCHEMA}.${name}`).join();
  await holder.query(`begin; lock table ${tables} in access exclusive mode`);
  return () => holder.end();
};

describe('three replicas whose database', () => {
  it.each([
    ['is there and does not answer', 1, standsStill],
    ['is gone', 2, isGone],
    ['takes no writes', 3, takesNoWrites],
    ['is too slow', 4, isTooSlow],
  ] as const)(
    '%s refuse new logins with a retry hint, keep live signaling alive, and let in again afterwards',
    async (_, way, trouble) => {
      const [a, b] = [await bed.login(alice, 0), await bed.login(bob, 1)];
      const token = aToken(way);
      bodyOf(await b.request('rendezvous.listen', { tokens: [token] }));
      const over = await trouble();
      try {
        const answers = await Promise.all(REPLICAS.map((at) => attempt(anAccount(0x30), at)));
        for (const { answer } of answers) expect(answer).toEqual(UNAVAILABLE);
        const list = await a.request('device.list');
        if (trouble === takesNoWrites) bodyOf(list);
        else expect(list).toMatchObject({ refused: { reason: 'unavailable', code: 503 } });
        await talk(a, b, token);
        await Promise.all(REPLICAS.map((at) => bed.replica(at).answers(503, /database/)));
        await talk(a, b, token);
      } finally {
        await over();
      }
      await Promise.all(REPLICAS.map((at) => bed.replica(at).answers(200, /^ready/)));
      for (const at of REPLICAS)
        expect((await attempt(anAccount(0x30 + 0x10 * at), at)).answer.type).toBe('welcome');
      expect([a.isClosed, b.isClosed]).toEqual([false, false]);
    },
  );

  it('is killed while people register lose nobody who was let in', async () => {
    const welcome = new Set<string>();
    let number = 0;
    let isEnding = false;
    const register = async (at: number) => {
      while (!isEnding && number < 240) {
        const account = anAccount(++number);
        const said = await attempt(account, at).catch(() => undefined);
        if (said?.answer.type === 'welcome') welcome.add(nameOf(account));
        said?.endpoint.cut();
      }
    };
    const registering = REPLICAS.map(register);
    await until('some are in', () => welcome.size > 10);
    await bed.postgres.kill();
    await bed.postgres.restart();
    const before = welcome.size;
    await until('others are in', () => welcome.size > before);
    isEnding = true;
    await Promise.all(registering);
    const { rows } = await bed.database.admin('select account from sallyport.account');
    // What the query names.
    const stored = new Set((rows as { account: string }[]).map(({ account }) => account));
    expect([...welcome].filter((account) => !stored.has(account))).toEqual([]);
  });
});
