import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeyFact } from '../../src/operator/keys/facts.js';
import { RegistryBed, type IssuedLease } from './gateway-registry-bed.js';
import { pair } from './gateway-leases-bed.js';
import type { RelayFolder, RelayProcess } from './relay-shell-bed.js';
import { forward } from './relay-udp-bed.js';
import { Endpoint, pause, until } from './relay-udp-endpoint.js';

const PROVED = 0x25;
const REFUSED = 0x26;

let bed: RegistryBed;
let folder: RelayFolder;
let relay: RelayProcess;

beforeAll(async () => {
  bed = await RegistryBed.start();
  ({ folder, relay } = await bed.relay());
});
afterAll(async () => {
  // First, so that nothing runs on when the relay did not start.
  await bed.stop();
  await relay.kill();
  await folder.remove();
});

const records = (action: string) => bed.leases.audit.filter((record) => record.action === action);
/** Whether a lease that is issued now is signed by this key. */
async function signs(kid: string): Promise<boolean> {
  const lease = await bed.lease();
  await bed.leases.room.endLeases({ jti: lease.claims.jti });
  return lease.kid === kid;
}
async function becomes(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within time: ${what}`);
    await pause(50);
  }
}

/** Sessions that come and talk until they are told to stop. */
class Traffic {
  readonly proved: IssuedLease[] = [];
  readonly failed: string[] = [];
  #on = true;
  readonly #done: Promise<void>;

  constructor() {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#on = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    const [a, b] = [await Endpoint.open(relay.port), await Endpoint.open(relay.port)];
    for (let n = 0; this.#on && n < 2_000; n++) await this.#session(a, b, n).catch(this.#note);
    a.close();
    b.close();
  }

  readonly #note = (error: unknown): void => {
    this.failed.push(String(error));
  };

  async #session(a: Endpoint, b: Endpoint, n: number): Promise<void> {
    const session = pair();
    const account = `sp1traffic${n}`;
    const one = await bed.lease('client', session, account);
    const other = await bed.lease('server', session, account);
    for (const [endpoint, lease] of [
      [a, one],
      [b, other],
    ] as const) {
      const answer = await endpoint.prove(lease);
      if (answer[2] !== PROVED) throw new Error(`refused for reason ${answer[37] ?? -1}`);
      this.proved.push(lease);
    }
    a.send(forward(one.sid, Buffer.from(account)));
    await b.next((bytes) => bytes.subarray(20).toString() === account);
    await bed.leases.room.endLeases({ account });
    await pause(20);
  }
}

describe('lease keys that rotate under traffic', () => {
  let before: readonly KeyFact[];
  let old: string;
  let kept: IssuedLease;

  it('S22: have no session rejected, wherever the new keys arrive first, and each rotation is on record', async () => {
    const traffic = new Traffic();
    await until('there is traffic', () => traffic.proved.length >= 10);
    before = bed.facts;
    old = bed.kidOf('current');
    kept = await bed.lease('client', pair(), 'sp1kept');

    // The gateway has the new keys, the relay does not: it has the next one, which now signs, since the beginning.
    await bed.rotate();
    await becomes('the next key signs', () => signs(bed.kidOf('current')));
    await bed.writeGateways(folder);
    await until('the relay has all keys', () =>
      bed.facts.every(({ kid }) => bed.heartbeats.at(-1)?.kids.includes(kid)),
    );

    // A key that the relay has never seen signs by order of the operator: the gateway waits with it.
    const second = bed.kidOf('current');
    await bed.changeKeys(({ keys, time }) => ({
      keep: [{ ...keys.current!, state: 'retired' }, ...keys.retired],
      carry: [],
      make: ['current', 'next'].map((state) => ({
        state: state as KeyFact['state'],
        publishedAt: `${time.now.toISOString().slice(0, 19)}Z`,
        notBefore: `${time.now.toISOString().slice(0, 19)}Z`,
        notAfter: keys.current!.notAfter,
      })),
    }));
    await until('the gateway has the new keys', () =>
      bed.leases.room.leaseKeys().some(({ kid }) => kid === bed.kidOf('current')),
    );
    const waiting = traffic.proved.length;
    await until('traffic goes on', () => traffic.proved.length >= waiting + 10);
    expect(traffic.proved.at(-1)?.kid).toBe(second);
    await bed.writeGateways(folder);
    await becomes('the new key signs', () => signs(bed.kidOf('current')));
    const after = traffic.proved.length;
    await until('traffic goes on', () => traffic.proved.length >= after + 10);

    await traffic.stop();
    expect(traffic.failed).toEqual([]);
    const kids = new Set(traffic.proved.map(({ kid }) => kid));
    expect(kids).toEqual(new Set([old, second, bed.kidOf('current')]));
    expect(records('lease-key.rotate').map(({ chg }) => chg)).toEqual([
      { before: `kid:${old}`, after: `kid:${second}` },
      { before: `kid:${second}`, after: `kid:${bed.kidOf('current')}` },
    ]);
  });

  it('S22: are taken during the overlap, and refused by the relay after it', async () => {
    const endpoint = await Endpoint.open(relay.port);
    expect(kept.kid).toBe(old);
    expect((await endpoint.prove(kept))[2]).toBe(PROVED);
    // The overlap is over: the operator lists the key no more.
    expect(before.some(({ kid }) => kid === old)).toBe(true);
    await bed.writeGateways(
      folder,
      bed.facts.filter(({ kid }) => kid !== old),
    );
    await until('the relay forgot the old key', () => !bed.heartbeats.at(-1)?.kids.includes(old));
    const late = await Endpoint.open(relay.port);
    expect((await late.prove(kept, 2n))[2]).toBe(REFUSED);
    endpoint.close();
    late.close();
  });

  it('S33: end with everything that they signed when they are revoked, within two seconds of the new file', async () => {
    const endpoint = await Endpoint.open(relay.port);
    const leaked = bed.kidOf('current');
    const lease = await bed.lease('client', pair(), 'sp1leaked');
    expect((await endpoint.prove(lease))[2]).toBe(PROVED);
    const series = 'sallyport_relay_sessions_ended_total{reason="revoked"}';
    const ended = (await relay.metric(series)) ?? 0;
    await bed.revokeKey(leaked);
    const since = Date.now();
    await becomes('the session ended', async () => ((await relay.metric(series)) ?? 0) > ended);
    expect(Date.now() - since).toBeLessThan(2_000);
    expect((await endpoint.prove(lease, 2n))[2]).toBe(REFUSED);
    expect(bed.leases.store.rows.filter(({ kid }) => kid === leaked)).toEqual([]);
    expect(records('lease-key.revoke')).toHaveLength(1);
    // The next key, which the relay has had all along, signs at once.
    const fresh = await bed.lease('client', pair(), 'sp1leaked');
    expect(fresh.kid).toBe(bed.kidOf('current'));
    expect((await endpoint.prove(fresh))[2]).toBe(PROVED);
    endpoint.close();
  });
});
