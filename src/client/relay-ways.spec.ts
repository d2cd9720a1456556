import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../test/identities.js';
import { aLeaseProof, answers, answerTo, kindOf, seqOf } from '../../test/session/relay-answers.js';
import { randomOf } from '../../test/session/two-sessions.js';
import type { RelayNews } from './relay-news.js';
import { RelayWays, UDP_AGAIN_MS, type TlsEvents } from './relay-ways.js';

const STEP_MS = 50;

type Network = 'answers' | 'drops' | 'takes and drops';

/** A relay behind a network, and the ways to it, in virtual time. */
class World {
  nowMs = 0;
  udp: Network = 'answers';
  tls: Network | 'refuses' = 'answers';
  readonly log: string[] = [];
  /** When ways were opened. */
  readonly openedMs: number[] = [];
  readonly news: RelayNews[] = [];
  readonly proofs: { readonly by: string; readonly seq: bigint }[] = [];
  readonly connections: TlsEvents[] = [];
  readonly ways: RelayWays;
  readonly #due: (() => void)[] = [];

  constructor(has: { readonly udp: boolean; readonly tls: boolean }) {
    this.ways = new RelayWays({
      generation: 1,
      lease: aLeaseProof(),
      random: randomOf(1),
      monotonicMs: () => this.nowMs,
      links: {
        ...(has.udp && {
          udp: (bytes, length) => {
            this.#overUdp(bytes.slice(0, length));
          },
        }),
        ...(has.tls && { connectTls: (events) => this.#connect(events) }),
      },
      events: {
        datagram: (_, { kind }) => this.log.push(`datagram ${kind}`),
        open: ({ kind }) => {
          this.log.push(`open ${kind}`);
          this.openedMs.push(this.nowMs);
        },
        gone: ({ kind }) => this.log.push(`gone ${kind}`),
        relay: (news) => this.news.push(news),
        refused: () => undefined,
        changed: () => undefined,
      },
    });
  }

  /** Pumps every 50 ms, and never more than ten times at one time. */
  run(forMs: number): this {
    for (const untilMs = this.nowMs + forMs; ; this.nowMs += STEP_MS) {
      for (const happen of this.#due.splice(0)) happen();
      let wakeMs = this.nowMs;
      for (let i = 0; wakeMs <= this.nowMs; i++) {
        if (i > 10) throw new Error('something is due without end');
        wakeMs = this.ways.pump(this.nowMs);
      }
      if (this.nowMs >= untilMs) return this;
    }
  }

  loseTls(): void {
    this.connections.at(-1)!.ended('connection-lost');
  }

  #overUdp(frame: Uint8Array): void {
    this.#note('udp', frame);
    const answer = this.#answer(this.udp, frame);
    if (answer !== undefined) this.ways.receiveUdp(answer);
  }

  #answer(network: Network, frame: Uint8Array): Uint8Array | undefined {
    const isDropped = network === 'takes and drops' && kindOf(frame) === 'prove';
    return network === 'drops' || isDropped ? undefined : answerTo(frame);
  }

  #note(by: string, frame: Uint8Array): void {
    if (kindOf(frame) === 'prove') this.proofs.push({ by, seq: seqOf(frame) });
    else if (kindOf(frame) === 'bye') this.log.push(`bye ${by}`);
  }

  #connect(events: TlsEvents) {
    this.log.push(`connect ${this.nowMs}`);
    this.connections.push(events);
    const isRefused = this.tls === 'refuses';
    this.#due.push(() => {
      if (isRefused) events.ended('leaf-not-pinned');
      else events.open();
    });
    return {
      send: (bytes: Uint8Array, length: number) => {
        const frame = bytes.slice(0, length);
        this.#note('tls', frame);
        const answer = this.tls === 'refuses' ? undefined : this.#answer(this.tls, frame);
        if (answer !== undefined) events.frame(answer);
      },
      close: () => this.log.push('close'),
    };
  }
}

const BOTH = { udp: true, tls: true };

/** A network without UDP, on which TLS was taken. */
function onTls(): World {
  const world = new World(BOTH);
  world.udp = 'drops';
  world.run(6_000);
  expect(world.log).toEqual(['connect 1750', 'open relay-tls']);
  return world;
}

describe('the ways to a relay on a network with UDP', () => {
  it('are UDP and no TLS connection', () => {
    expect(new World(BOTH).run(120_000).log).toEqual(['open relay-udp']);
  });

  it('go over to TLS within 4 s of the check that finds UDP dead, with a higher seq', () => {
    const world = new World(BOTH).run(14_000);
    world.udp = 'drops';
    world.run(7_000);
    expect(world.log).toEqual([
      'open relay-udp',
      'connect 16750',
      'gone relay-udp',
      'open relay-tls',
    ]);
    expect(world.openedMs).toEqual([0, 18_500]);
    expect(world.proofs).toEqual([
      { by: 'udp', seq: 1n },
      { by: 'tls', seq: 2n },
    ]);
    expect(world.news).toContainEqual({ type: 'unreachable', why: 'udp' });
  });

  it('are UDP again when it answers in the second round, and TLS was connected for nothing', () => {
    const world = new World(BOTH).run(14_000);
    world.udp = 'drops';
    world.run(3_500);
    world.udp = 'answers';
    world.run(60_000);
    expect(world.log).toEqual(['open relay-udp', 'connect 16750', 'close']);
    expect(new Set(world.proofs.map(({ by }) => by))).toEqual(new Set(['udp']));
    expect(world.news.filter(({ type }) => type === 'unreachable')).toEqual([]);
  });

  it('close that connection also when the socket has moved, and UDP begins anew', () => {
    const world = new World(BOTH).run(14_000);
    world.udp = 'drops';
    world.run(3_500);
    world.ways.moved(world.nowMs);
    world.run(50);
    expect(world.log).toEqual(['open relay-udp', 'connect 16750', 'close']);
  });

  it('say nothing of a TLS connection that leads nowhere while UDP is in doubt', () => {
    const world = new World(BOTH).run(14_000);
    [world.udp, world.tls] = ['drops', 'refuses'];
    world.run(3_500);
    world.udp = 'answers';
    world.run(20_000);
    // The second one 1 s after the first, as after any that led nowhere.
    const connects = world.log.filter((line) => line.startsWith('connect'));
    expect(connects).toEqual(['connect 16750', 'connect 17800']);
    expect(world.openedMs).toEqual([0]);
    expect(world.news.filter(({ type }) => type === 'unreachable')).toEqual([]);
  });

  it('say BYE where the lease is proven, and nothing after it', () => {
    const world = new World(BOTH).run(1_000);
    world.ways.close();
    expect(world.run(60_000).log).toEqual(['open relay-udp', 'gone relay-udp', 'bye udp']);
  });
});

describe('the ways to a relay on a network that drops UDP', () => {
  it('try UDP again every 60 s, and say nothing of it while it leads nowhere', () => {
    const world = onTls();
    const news = world.news.length;
    world.run(5 * UDP_AGAIN_MS);
    expect(world.log).toHaveLength(2);
    expect(world.news.slice(news).filter(({ type }) => type === 'unreachable')).toEqual([]);
  });

  it('return to UDP when it works, and close the connection then', () => {
    const world = onTls();
    world.udp = 'answers';
    world.run(UDP_AGAIN_MS);
    expect(world.log.slice(2)).toEqual(['open relay-udp', 'gone relay-tls', 'close']);
    expect(world.run(120_000).log).toHaveLength(5);
  });

  it('prove over TLS once more when the relay took the proof over UDP and its answer was lost', () => {
    const world = onTls();
    world.udp = 'takes and drops';
    world.run(UDP_AGAIN_MS);
    expect(world.proofs.at(-1)!.by).toBe('udp');
    // The slot was TLS's a moment ago: nothing but the attempt over UDP gives a reason to prove.
    world.connections[0]!.frame(answers.forward(bytesOf(1)));
    world.run(5_000);
    const { by, seq } = world.proofs.at(-1)!;
    expect(by).toBe('tls');
    expect(seq > Math.max(...world.proofs.slice(0, -1).map((one) => Number(one.seq)))).toBe(true);
    expect(world.log.slice(0, 2)).toEqual(['connect 1750', 'open relay-tls']);
    expect(world.log.slice(2)).toEqual(['datagram relay-tls']);
  });

  it('never prove on both ways at a time', () => {
    const world = onTls();
    world.udp = 'takes and drops';
    world.run(57_000);
    const before = world.proofs.length;
    // An attempt over UDP takes 3.5 s.
    world.run(3_900);
    const during = world.proofs.slice(before).map(({ by }) => by);
    expect(new Set(during)).toEqual(new Set(['udp']));
  });

  it('hold on to a lease that is renewed while UDP is tried', () => {
    const world = onTls();
    world.udp = 'takes and drops';
    world.run(UDP_AGAIN_MS);
    world.ways.renew(aLeaseProof(2), world.nowMs);
    world.run(5_000);
    expect(world.proofs.at(-1)).toEqual({ by: 'tls', seq: 1n });
  });

  it('connect again 1, 2, 4 ... 30 s after a connection that led nowhere', () => {
    const world = new World(BOTH);
    world.udp = 'drops';
    world.tls = 'refuses';
    world.run(300_000);
    const at = world.log
      .filter((line) => line.startsWith('connect'))
      .map((line) => Number(line.split(' ')[1]));
    const waits = at.slice(1).map((ms, i) => ms - at[i]!);
    expect(waits.slice(0, 5)).toEqual([1_050, 2_050, 4_050, 8_050, 16_050]);
    expect(waits.slice(5).every((ms) => ms === 30_050)).toBe(true);
    expect(world.news).toContainEqual({ type: 'unreachable', why: 'leaf-not-pinned' });
    expect(world.news.length).toBeLessThan(50);
  });

  it('connect again after 1 s when a connection is lost that was used', () => {
    const world = onTls();
    world.loseTls();
    world.run(2_000);
    expect(world.log.slice(2)).toEqual([
      'gone relay-tls',
      'close',
      'connect 7000',
      'open relay-tls',
    ]);
    expect(world.news).toContainEqual({ type: 'unreachable', why: 'connection-lost' });
  });

  it('leave a connection on which nothing is answered, and ignore what it says later', () => {
    const world = onTls();
    world.tls = 'drops';
    const [dead] = world.connections;
    world.run(21_000);
    expect(world.news).toContainEqual({ type: 'unreachable', why: 'no-answer' });
    world.tls = 'answers';
    world.run(30_000);
    expect(world.log.at(-1)).toBe('open relay-tls');
    const lines = world.log.length;
    dead!.frame(answers.forward(bytesOf(1)));
    dead!.ended('connection-lost');
    expect(world.log).toHaveLength(lines);
  });

  it('try UDP at once when the socket has moved', () => {
    const world = onTls();
    world.udp = 'answers';
    world.ways.moved(world.nowMs);
    expect(world.run(100).log).toContain('open relay-udp');
  });
});

describe('the ways to a relay with one address', () => {
  it('are TLS at once if it is that of TLS', () => {
    expect(new World({ udp: false, tls: true }).run(100_000).log).toEqual([
      'connect 0',
      'open relay-tls',
    ]);
  });

  it('are UDP, tried for as long as it takes, if it is that of UDP', () => {
    const world = new World({ udp: true, tls: false });
    world.udp = 'drops';
    world.run(20_000);
    world.udp = 'answers';
    world.run(5_000);
    expect(world.log).toEqual(['open relay-udp']);
    expect(world.news.filter(({ type }) => type === 'unreachable')).toHaveLength(5);
  });
});

describe('datagrams of the peer', () => {
  it('are told with the way that they came on', () => {
    const world = new World(BOTH).run(100);
    world.ways.receiveUdp(answers.forward(bytesOf(1)));
    expect(world.log.at(-1)).toBe('datagram relay-udp');
  });
});
