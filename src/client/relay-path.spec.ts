import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../test/identities.js';
import { aLeaseProof, answers, answerTo, kindOf, seqOf } from '../../test/session/relay-answers.js';
import { randomOf } from '../../test/session/two-sessions.js';
import { REFUSED_CODES, type RefusedReason } from '../protocol/relay/reasons.js';
import { RelayPath } from './relay-path.js';

/** Everything that `path` sends until `untilMs`, with its times; a relay that answers does so at once. */
function run(path: RelayPath, fromMs: number, untilMs: number, answer = answerTo) {
  const sent: { readonly atMs: number; readonly frame: Uint8Array }[] = [];
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 50)
    for (let frame = path.frameToSend(nowMs); frame; frame = path.frameToSend(nowMs)) {
      if (sent.push({ atMs: nowMs, frame }) > 1_000) throw new Error('frames without end');
      const back = answer(frame);
      if (back !== undefined) path.receive(back, nowMs);
    }
  return sent;
}

const silent = (): undefined => undefined;
const aPath = () => new RelayPath(aLeaseProof(), randomOf(1), 0);
const proofs = (sent: ReturnType<typeof run>) =>
  sent.filter(({ frame }) => kindOf(frame) === 'prove');

function provenPath() {
  const path = aPath();
  const sent = run(path, 0, 0);
  expect(path.status).toBe('proven');
  return { path, prove: proofs(sent)[0]!.frame };
}

describe('the way to a relay that does not answer', () => {
  it('is asked at 0, 250, 750 and 1,250 ms, twice, and is unreachable after 3.5 s', () => {
    const path = aPath();
    const sent = run(path, 0, 3_450, silent);
    expect(path.status).toBe('proving');
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 250, 750, 1250, 1750, 2000, 2500, 3000]);
    expect(run(path, 3_500, 60_000, silent)).toEqual([]);
    expect(path.status).toBe('unreachable');
    expect(path.wakeMs).toBe(Infinity);
  });
});

describe('a relay whose COOKIE comes twice with different addresses', () => {
  const twice = (path: RelayPath) => {
    const hello = path.frameToSend(0)!;
    path.receive(answers.cookie(hello, 1_000), 0);
    const prove = path.frameToSend(0)!;
    path.receive(answers.cookie(hello, 2_000), 0);
    return prove;
  };

  it('is asked again under another nonce and proven with a higher seq, and left after two rounds', () => {
    const path = aPath();
    const first = twice(path);
    expect(path.receive(answers.proved(first), 0)).toBe('other-nonce');
    const second = twice(path);
    expect([first, second].map(seqOf)).toEqual([1n, 2n]);
    expect(path.frameToSend(0)).toBeUndefined();
    expect(path.status).toBe('unreachable');
  });
});

describe('a proven way', () => {
  it('is checked every 15 s with a HELLO, and not proven again while datagrams of the peer come', () => {
    const { path } = provenPath();
    for (let atMs = 0; atMs < 90_000; atMs += 10_000) {
      expect(path.payloadOf(answers.forward(bytesOf(3)), atMs)).toEqual(bytesOf(3));
      const sent = run(path, atMs, atMs + 9_950);
      expect(proofs(sent)).toEqual([]);
      expect(sent.map((one) => one.atMs % 15_000)).toEqual(sent.map(() => 0));
    }
  });

  it('is proven again after 30 s without the peer: the relay may have forgotten the session', () => {
    const { path } = provenPath();
    const again = proofs(run(path, 0, 40_000));
    expect(again.map(({ atMs }) => atMs)).toEqual([30_000]);
    expect(seqOf(again[0]!.frame)).toBe(2n);
  });

  it('is proven again with the same lease and a higher seq when the relay sees another address', () => {
    const { path } = provenPath();
    const again = proofs(run(path, 15_000, 15_000, (frame) => answerTo(frame, 2_000)));
    expect(again.map(({ frame }) => seqOf(frame))).toEqual([2n]);
    expect(path.status).toBe('proven');
  });

  it('is checked at once when it is in doubt, and then 15 s after that', () => {
    const { path } = provenPath();
    path.check(2_000);
    expect(path.wakeMs).toBe(2_000);
    const sent = run(path, 2_000, 17_000);
    expect(sent.map(({ atMs, frame }) => [atMs, kindOf(frame)])).toEqual([
      [2_000, 'hello'],
      [17_000, 'hello'],
    ]);
  });

  it('is used until a newer lease is proven', () => {
    const { path } = provenPath();
    path.renew(aLeaseProof(2), 1_000);
    expect(path.status).toBe('proven');
    const [renewal] = proofs(run(path, 1_000, 1_000));
    expect(seqOf(renewal!.frame)).toBe(1n);
    expect(path.status).toBe('proven');
  });

  it('is given two rounds at a check, whatever it took to prove it', () => {
    const path = aPath();
    run(path, 0, 2_450, silent);
    run(path, 2_500, 2_500);
    expect(path.status).toBe('proven');
    run(path, 2_550, 17_450);
    run(path, 17_500, 20_000, silent);
    expect(path.status).toBe('proven');
    run(path, 20_050, 22_500, silent);
    expect(path.status).toBe('unreachable');
  });

  it('passes MOVE on at most once in 30 s, and goes on', () => {
    const { path, prove } = provenPath();
    const move = answers.move(prove);
    expect(path.receive(move, 1_000)).toEqual({ type: 'move', deadlineMs: 5_000 });
    expect(path.receive(move, 1_001)).toBeUndefined();
    expect(path.receive(move, 30_999)).toBeUndefined();
    expect(path.receive(move, 31_000)).toMatchObject({ type: 'move' });
    expect(path.status).toBe('proven');
  });

  it('refuses a MOVE for another proof, and frames of another session', () => {
    const { path, prove } = provenPath();
    const other = answers.move(prove);
    other[20] = 0xff ^ other[20]!;
    expect(path.receive(other, 1)).toBe('other-nonce');
    const foreign = answers.move(prove);
    foreign[4] = 0xff ^ foreign[4]!;
    expect(path.receive(foreign, 1)).toBe('other-session');
    expect(path.receive(bytesOf(9), 1)).toBe('bad-magic');
  });
});

describe('a relay that refuses', () => {
  const reasons = Object.keys(REFUSED_CODES) as RefusedReason[];

  it.each(reasons.filter((reason) => reason !== 'rate-limited'))('is told as %s', (reason) => {
    const path = aPath();
    path.receive(answers.cookie(path.frameToSend(0)!), 0);
    const refused = answers.refused(path.frameToSend(0)!, reason);
    expect(path.receive(refused, 0)).toEqual({ type: 'refused', reason });
    expect(path.status).toBe('refused');
    expect(run(path, 0, 60_000)).toEqual([]);
  });

  it('for its rate is asked once a second, and is told as rate-limited the fifth time', () => {
    const path = aPath();
    const told: unknown[] = [];
    for (let atMs = 0; atMs <= 10_000; atMs += 1_000) {
      const before = told.length;
      for (let frame = path.frameToSend(atMs); frame; frame = path.frameToSend(atMs)) {
        if (kindOf(frame) === 'hello') path.receive(answers.cookie(frame), atMs);
        else told.push(path.receive(answers.refused(frame, 'rate-limited'), atMs));
      }
      expect(told.length - before).toBeLessThanOrEqual(1);
    }
    expect(told).toHaveLength(5);
    expect(told.at(-1)).toEqual({ type: 'refused', reason: 'rate-limited' });
  });

  it('takes a newer lease afterwards', () => {
    const path = aPath();
    path.receive(answers.cookie(path.frameToSend(0)!), 0);
    path.receive(answers.refused(path.frameToSend(0)!, 'expired'), 0);
    path.renew(aLeaseProof(2), 5);
    run(path, 5, 5);
    expect(path.status).toBe('proven');
  });
});
