import { describe, expect, it } from '@jest/globals';
import { TwoConversations, TwoEndedWay } from '../../test/session/two-conversations.js';

const BOTH = [0, 1] as const;

/** Both sides know `way`, Alice from `atMs[0]` and Bob from `atMs[1]`; time goes on meanwhile. */
function meet(world: TwoConversations, way: TwoEndedWay, atMs: readonly [number, number]): void {
  for (const side of BOTH.toSorted((a, b) => atMs[a] - atMs[b])) {
    world.run(atMs[side]);
    world.sides[side].conversation.addPath(way.ends[side], world.nowMs);
  }
}

function aTalk() {
  const world = new TwoConversations();
  const relay = new TwoEndedWay(world, 'relay-udp', 1);
  meet(world, relay, [0, 0]);
  world.run(1_000);
  return { world, relay };
}

describe('a direct path that dies in one direction', () => {
  it.each([
    ['Alice to Bob, both send', 0, BOTH],
    ['Alice to Bob, only Alice sends', 0, [0]],
    ['Alice to Bob, only Bob sends', 0, [1]],
  ] as const)('(%s) is left by both sides within 5 s, and all arrives', (_, dead, senders) => {
    const { world } = aTalk();
    const direct = new TwoEndedWay(world, 'direct', 0);
    meet(world, direct, [1_000, 1_000]);
    world.run(2_000);
    expect(world.sides.map(({ paths }) => paths.at(-1)!.kind)).toEqual(['direct', 'direct']);
    direct.dead[dead] = true;
    for (const side of senders) world.sides[side].conversation.send('chat', Buffer.from('lost?'));
    world.run(12_000);
    for (const { paths } of world.sides) {
      expect(paths.at(-1)!.kind).toBe('relay-udp');
      expect(paths.at(-1)!.atMs - 2_000).toBeLessThan(4_500);
    }
    for (const side of senders) expect(world.sides[1 - side]!.texts).toEqual(['lost?']);
  });

  it('that loses everything for 900 ms is left by nobody', () => {
    const { world } = aTalk();
    const direct = new TwoEndedWay(world, 'direct', 0);
    meet(world, direct, [1_000, 1_000]);
    world.run(2_000);
    // Everything that goes for 900 ms is lost; then it is as before.
    direct.dead.fill(true);
    world.sides[0].conversation.send('chat', Buffer.from('late'));
    world.run(2_900);
    direct.dead.fill(false);
    world.run(10_000);
    expect(world.sides.map(({ paths }) => paths.at(-1)!.kind)).toEqual(['direct', 'direct']);
    expect(world.sides[1].texts).toEqual(['late']);
  });
});

describe('two sides that move to another relay', () => {
  it.each([
    ['at the same time', 1_000, 1_000],
    ['one 4 s after the other', 1_000, 5_000],
    ['one 20 s after the other, when its first questions are long over', 21_000, 1_000],
  ])('T19: (%s) lose no call frame and end on the newer one', (_, alicesMs, bobsMs) => {
    const { world, relay } = aTalk();
    const newer = new TwoEndedWay(world, 'relay-udp', 2);
    const lastMs = Math.max(alicesMs, bobsMs);
    // A relay forwards to who holds the other slot, and to nobody before that.
    const slots = () => {
      newer.dead[0] = world.nowMs < bobsMs;
      newer.dead[1] = world.nowMs < alicesMs;
    };
    let frames = 0;
    const talk = () => {
      slots();
      frames++;
      for (const { conversation } of world.sides)
        conversation.send('call', Buffer.from(`${frames}`));
    };
    for (const side of BOTH.toSorted((a, b) => [alicesMs, bobsMs][a]! - [alicesMs, bobsMs][b]!)) {
      world.run([alicesMs, bobsMs][side]!, talk);
      world.sides[side].conversation.addPath(newer.ends[side], world.nowMs);
    }
    world.run(lastMs + 2_000, talk);
    world.run(lastMs + 3_000);
    const all = Array.from({ length: frames }, (_, i) => `${i + 1}`);
    for (const { texts } of world.sides) expect(texts).toEqual(all);
    const before = [...relay.sent];
    world.run(lastMs + 5_000, () => {
      world.sides[0].conversation.send('call', Buffer.from('new'));
      world.sides[1].conversation.send('call', Buffer.from('new'));
    });
    expect(relay.sent).toEqual(before);
    for (const { conversation } of world.sides)
      expect(conversation.relayUse(1).isInUse).toBe(false);
  });

  it('T19: without traffic each learns that the other has moved, because it asks', () => {
    const { world } = aTalk();
    const newer = new TwoEndedWay(world, 'relay-udp', 2);
    meet(world, newer, [1_000, 1_000]);
    world.run(3_000);
    for (const { conversation } of world.sides)
      expect(conversation.relayUse(1)).toMatchObject({ isInUse: false });
  });

  it('stay on the older one while the peer does not come', () => {
    const { world, relay } = aTalk();
    const newer = new TwoEndedWay(world, 'relay-udp', 2);
    newer.dead.fill(true);
    world.sides[0].conversation.addPath(newer.ends[0], world.nowMs);
    world.sides[0].conversation.send('chat', Buffer.from('here'));
    world.run(30_000);
    expect(world.sides[1].texts).toEqual(['here']);
    expect(world.sides[0].conversation.relayUse(2).isProven).toBe(false);
    expect(world.sides[0].conversation.relayUse(1).isInUse).toBe(true);
    expect(relay.sent[0]).toBeGreaterThan(0);
  });
});
