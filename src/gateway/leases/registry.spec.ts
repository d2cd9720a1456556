import { describe, expect, it } from '@jest/globals';
import { BedRelay, LeaseBed, places } from '../../../test/processes/gateway-leases-bed.js';
import { isPlausible } from './relay-load.js';

const anomalies = (bed: LeaseBed, kind: string) =>
  bed.count(`sallyport_network_anomalies_total{kind="${kind}"}`);
const refusals = (bed: LeaseBed, reason: string) =>
  bed.count(`sallyport_relay_registrations_total{outcome="failure",reason="${reason}"}`);
const states = (bed: LeaseBed) => {
  const answer = bed.room.handlers['admin.relay.list']!({}, bed.connect());
  return (answer as { items: { state: string }[] }).items.map(({ state }) => state);
};

describe('the registration of a relay', () => {
  it('is welcomed, answered heartbeat by heartbeat, and on record', () => {
    const bed = new LeaseBed();
    const relay = bed.relay();
    expect(relay.heard).toEqual([
      { type: 'welcome', revoked: [], kids: [] },
      { type: 'ack', seq: 1, at: bed.nowMs },
    ]);
    expect(bed.audit).toMatchObject([{ action: 'relay.register', outcome: 'success' }]);
    expect(states(bed)).toEqual(['Live', 'Missing']);
  });

  it('S23: is refused for a pool that is not that of the certificate, and counted', async () => {
    const bed = new LeaseBed();
    const relay = new BedRelay(bed).register(bed.kids, { pool: 'edge/us' });
    expect([relay.closed, relay.heard]).toEqual([true, []]);
    expect(await anomalies(bed, 'relay-wrong-pool')).toBe(1);
    expect(await refusals(bed, 'wrong-pool')).toBe(1);
    expect(states(bed)).toEqual(['Missing', 'Missing']);
  });

  it('S23: is not begun with a certificate of a pool that is not permitted', async () => {
    const bed = new LeaseBed();
    expect(new BedRelay(bed, 0, 'b', 'spiffe://test/ns/edge/RelayPool/us').accepted).toBe(false);
    expect(await refusals(bed, 'not-permitted')).toBe(1);
    bed.places = undefined;
    expect(new BedRelay(bed).accepted).toBe(false);
  });

  it('ends with the next heartbeat when the pool is permitted no more', () => {
    const bed = new LeaseBed();
    const relay = bed.relay();
    bed.places = places(0, { pools: [] });
    expect(relay.beat().closed).toBe(true);
  });

  it('S23: of a second process under a live id is refused and counted, and the first one goes on', async () => {
    const bed = new LeaseBed();
    const first = bed.relay();
    const second = new BedRelay(bed).register();
    expect(second.closed).toBe(true);
    expect(await anomalies(bed, 'relay-second-boot')).toBe(1);
    expect(await refusals(bed, 'second-boot')).toBe(1);
    expect(first.beat().closed).toBe(false);
    expect(states(bed)[0]).toBe('Live');
  });

  it('is taken from a new process once the old one has closed, or was silent for 15 seconds', async () => {
    const bed = new LeaseBed();
    bed.relay().leave();
    const second = bed.relay();
    expect(second.closed).toBe(false);
    await bed.pass(14_000);
    expect(new BedRelay(bed).register().closed).toBe(true);
    await bed.pass(1_000);
    expect(new BedRelay(bed).register().closed).toBe(false);
  });

  it('of the same process replaces its old connection, which ends at its next word', async () => {
    const bed = new LeaseBed();
    const old = bed.relay();
    const again = new BedRelay(bed, 0, old.boot).register().beat();
    expect(old.beat().closed).toBe(true);
    expect(again.beat().closed).toBe(false);
    expect(states(bed)[0]).toBe('Live');
    await bed.room.onBus?.({ type: 'leases-revoked', jti: ['j'.repeat(22)], kids: [] }, 'there');
    expect([old.revocations, again.revocations]).toEqual([[], ['j'.repeat(22)]]);
  });

  it.each([
    ['a heartbeat comes before it', (relay: BedRelay) => relay.beat(), 'out-of-turn'],
    ['it comes twice', (relay: BedRelay) => relay.register().register(), 'out-of-turn'],
    [
      'a heartbeat is left out',
      (relay: BedRelay) => relay.register().beat({ seq: 2 }),
      'out-of-turn',
    ],
    [
      'heartbeats come without end',
      (relay: BedRelay) => {
        relay.register();
        for (let i = 0; i < 30; i++) relay.beat();
        return relay;
      },
      'too-many-heartbeats',
    ],
  ])('ends when %s', async (_, act, reason) => {
    const bed = new LeaseBed();
    expect(act(new BedRelay(bed)).closed).toBe(true);
    expect(await refusals(bed, reason)).toBe(1);
  });

  it('takes no more relays than a directory can name, and forgets one that is gone for a new one', () => {
    const bed = new LeaseBed();
    const relays = Array.from({ length: 8_192 }, (_, i) => new BedRelay(bed, i).register());
    const more = new BedRelay(bed, 9_000).register();
    expect(more.closed).toBe(true);
    relays[5_000]!.leave();
    expect(new BedRelay(bed, 9_000).register().closed).toBe(false);
  });
});

describe('a relay that does what it should not', () => {
  it('S26: is counted once when it falls silent, within a second after three intervals', async () => {
    const bed = new LeaseBed();
    bed.relay();
    await bed.pass(14_000);
    expect([await anomalies(bed, 'relay-missing'), states(bed)[0]]).toEqual([0, 'Live']);
    await bed.pass(1_000);
    expect([await anomalies(bed, 'relay-missing'), states(bed)[0]]).toEqual([1, 'Missing']);
    await bed.pass(30_000);
    expect(await anomalies(bed, 'relay-missing')).toBe(1);
  });

  it('S26: is not missing after it drained', async () => {
    const bed = new LeaseBed();
    bed.relay().beat({ draining: true }).leave();
    await bed.pass(30_000);
    expect(await anomalies(bed, 'relay-missing')).toBe(0);
  });

  it('S26: is counted when it has an address and never registers', async () => {
    const bed = new LeaseBed();
    await bed.pass(60_000);
    expect(await anomalies(bed, 'relay-missing')).toBe(0);
    await bed.pass(1_000);
    expect(await anomalies(bed, 'relay-missing')).toBe(2);
    await bed.pass(60_000);
    expect(await anomalies(bed, 'relay-missing')).toBe(2);
  });

  it('S26: is counted when it registers a fourth time within five minutes', async () => {
    const bed = new LeaseBed();
    const { boot } = bed.relay();
    for (let i = 0; i < 2; i++) new BedRelay(bed, 0, boot).register();
    expect(await anomalies(bed, 'relay-flapping')).toBe(0);
    new BedRelay(bed, 0, boot).register();
    expect(await anomalies(bed, 'relay-flapping')).toBe(1);
  });

  it('S26: is no flapping relay after three registrations in a longer time', async () => {
    const bed = new LeaseBed();
    const { boot } = bed.relay();
    for (let i = 0; i < 9; i++) {
      await bed.pass(120_000);
      new BedRelay(bed, 0, boot).register();
    }
    expect(await anomalies(bed, 'relay-flapping')).toBe(0);
  });

  it('S26: is counted when its clock is off by more than 5 seconds, and gets no leases while it is', async () => {
    const bed = new LeaseBed();
    const relay = bed.relay().beat({ at: bed.nowMs + 5_001 });
    expect([await anomalies(bed, 'relay-clock'), states(bed)[0]]).toEqual([1, 'ClockOff']);
    relay.beat({ at: bed.nowMs - 5_001 });
    expect(await anomalies(bed, 'relay-clock')).toBe(1);
    relay.beat();
    expect(states(bed)[0]).toBe('Live');
  });

  it('S26: is counted when it stays registered without an address', async () => {
    const bed = new LeaseBed();
    const relay = bed.relay(7);
    const beat = () => bed.nowMs % 5_000 === 0 && relay.beat();
    await bed.pass(299_000, beat);
    expect(await anomalies(bed, 'relay-unknown')).toBe(0);
    await bed.pass(2_000, beat);
    expect(await anomalies(bed, 'relay-unknown')).toBe(1);
  });

  it('S26: is counted when its counters go backwards, also over a new registration', async () => {
    const bed = new LeaseBed();
    const relay = bed.relay().beat({ packets: 10, bytes: 5_000 });
    relay.beat({ packets: 9, bytes: 5_000 });
    expect(await anomalies(bed, 'relay-load')).toBe(1);
    new BedRelay(bed, 0, relay.boot).register().beat({ packets: 1, bytes: 100 });
    expect(await anomalies(bed, 'relay-load')).toBe(2);
  });

  it('S26: of two replicas with two processes under one id gets nothing from either, and is counted', async () => {
    const bed = new LeaseBed();
    const relay = bed.relay();
    const report = {
      rid: 'edge/eu/0',
      boot: 'another',
      kids: bed.kids,
      sessions: 0,
      draining: false,
      clockAheadMs: 0,
      connected: true,
    };
    await bed.room.onBus?.({ type: 'relay', relay: report }, 'there');
    expect([await anomalies(bed, 'relay-second-boot'), states(bed)[0]]).toEqual([1, 'Missing']);
    await bed.room.onBus?.({ type: 'relay', relay: { ...report, connected: false } }, 'there');
    relay.beat();
    expect(states(bed)[0]).toBe('Live');
  });

  it('S26: is counted when it does not have a key 15 minutes after its publication', async () => {
    const bed = new LeaseBed();
    bed.relay().beat({ kids: [] });
    await bed.pass(1_000);
    expect([await anomalies(bed, 'relay-keys'), states(bed)[0]]).toEqual([1, 'KeysMissing']);
  });
});

describe('what a relay says of its load', () => {
  const load = { sessions: 1, packets: 1_000, bytes: 100_000, drops: 10 };
  it.each([
    ['nothing new', load, true],
    ['fewer packets', { ...load, packets: 999 }, false],
    ['fewer drops', { ...load, drops: 9 }, false],
    ['what 100 Gbit/s give in 5 seconds', { ...load, packets: 10 ** 8, bytes: 60 * 10 ** 9 }, true],
    ['more than 100 Gbit/s', { ...load, packets: 10 ** 9, bytes: 10 ** 12 }, false],
    ['more bytes than its packets can hold', { ...load, bytes: 10 ** 8 }, false],
    ['more sessions than a pool can be set to', { ...load, sessions: 100_001 }, false],
  ])('%s is plausible or not', (_, now, expected) => {
    expect(isPlausible(now, load, 5_000)).toBe(expected);
  });

  it('is not judged by its rate in the first heartbeat of a process', () => {
    expect(isPlausible({ ...load, packets: 10 ** 12, bytes: 10 ** 14 }, undefined, 0)).toBe(true);
  });
});

describe('a relay that is registered at another replica', () => {
  const report = (bed: LeaseBed, changes: object = {}) => ({
    rid: 'edge/eu/1',
    boot: 'b',
    kids: bed.kids,
    sessions: 3,
    draining: false,
    clockAheadMs: 0,
    connected: true,
    ...changes,
  });

  it('can be chosen here until nothing was heard of it for 15 seconds', async () => {
    const bed = new LeaseBed();
    await bed.room.onBus?.({ type: 'relay', relay: report(bed) }, 'there');
    expect(states(bed)).toEqual(['Missing', 'Live']);
    await bed.pass(15_000);
    expect(states(bed)).toEqual(['Missing', 'Missing']);
  });

  it('cannot be chosen once that replica says that it left or drains; another replica cannot say so', async () => {
    const bed = new LeaseBed();
    await bed.room.onBus?.({ type: 'relay', relay: report(bed) }, 'there');
    const gone = { type: 'relay', relay: report(bed, { connected: false }) } as const;
    await bed.room.onBus?.(gone, 'elsewhere');
    expect(states(bed)[1]).toBe('Live');
    await bed.room.onBus?.({ type: 'relay', relay: report(bed, { draining: true }) }, 'there');
    expect(states(bed)[1]).toBe('Draining');
    await bed.room.onBus?.(gone, 'there');
    expect(states(bed)[1]).toBe('Missing');
  });

  it('S23: cannot be claimed here by another process', async () => {
    const bed = new LeaseBed();
    await bed.room.onBus?.({ type: 'relay', relay: report(bed) }, 'there');
    expect(new BedRelay(bed, 1).register().closed).toBe(true);
    expect(new BedRelay(bed, 1, 'b').register().closed).toBe(false);
  });

  it('is told of by its replica every five seconds, at once when it drains or leaves, and when asked', async () => {
    const bed = new LeaseBed();
    const told = () =>
      bed.told.flatMap((message) => (message.type === 'relay' ? [message.relay] : []));
    const relay = bed.relay();
    expect(told()).toMatchObject([{ rid: 'edge/eu/0', connected: true, draining: false }]);
    await bed.pass(11_000, () => undefined);
    expect(told().length).toBe(4);
    relay.beat({ draining: true });
    expect(told().at(-1)).toMatchObject({ draining: true });
    relay.leave();
    expect(told().at(-1)).toMatchObject({ connected: false });
    bed.relay(1);
    const before = told().length;
    await bed.room.onBus?.({ type: 'here' }, 'there');
    expect(told().length).toBe(before + 1);
  });
});
