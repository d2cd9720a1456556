import { afterEach, describe, expect, it } from '@jest/globals';
import type { Call } from '../../src/client/calls/calls.runner.js';
import { encodeCallGrant } from '../../src/client/contacts/chat-message.js';
import { ascii } from '../../src/protocol/bytes.js';
import { CallBed, type CallLoop, type CallPerson } from './client-calls-bed.js';
import type { Allowed } from './client-files-bed.js';
import { pause, until } from './relay-udp-endpoint.js';

/** Long enough for what the queues hold. */
const SETTLED_MS = 100;
const STARTS: Allowed = { startCalls: true, joinCalls: false };
const JOINS: Allowed = { startCalls: false, joinCalls: true };

let bed: CallBed;
afterEach(() => {
  bed.close();
});

const frame = (text: string): Uint8Array => ascii(text);

/** What a changed client does: it sends without a look at its grant. */
async function heardBy(person: CallPerson, from: CallPerson, text: string): Promise<boolean> {
  const before = [person.frames.length, person.refused.length];
  from.current!.send('call', frame(text));
  await until('it is judged', () => {
    const now = [person.frames.length, person.refused.length];
    return now[0]! + now[1]! > before[0]! + before[1]!;
  });
  return person.frames.length > before[0]!;
}

async function talking(alice = STARTS, bob = JOINS): Promise<[Call<CallLoop>, Call<CallLoop>]> {
  bed = new CallBed(alice, bob);
  return [await bed.alice.calls.start('bob'), await bed.bob.calls.join('alice')];
}

describe('a call whose sides have the rights', () => {
  it('S206: is heard by both, after each has seen the grant of the other', async () => {
    const [out, back] = await talking();
    out.send(frame('hello'));
    back.send(frame('good day'));
    await until('both', () => bed.alice.frames.length + bed.bob.frames.length === 2);
    expect([bed.alice.frames, bed.bob.frames]).toEqual([['good day'], ['hello']]);
    expect(bed.alice.current!.sent.map(({ channel }) => channel)).toEqual(['chat', 'call']);
    expect([...bed.alice.refused, ...bed.bob.refused]).toEqual([]);
  });

  it('S206: does not begin before the other side has the grant', async () => {
    bed = new CallBed(STARTS, JOINS);
    bed.alice.current!.isHeld = true;
    let isThere = false;
    const started = bed.alice.calls.start('bob').finally(() => (isThere = true));
    await pause(SETTLED_MS);
    expect(isThere).toBe(false);
    bed.alice.current!.isEstablished = false;
    await expect(started).rejects.toMatchObject({ code: 'ERR_CONTACT_NO_SESSION' });
  });

  it('begins when the chat channel, which was full, takes the grant', async () => {
    bed = new CallBed(STARTS, JOINS);
    bed.alice.current!.isFull = true;
    const started = bed.alice.calls.start('bob');
    await pause(SETTLED_MS);
    bed.alice.current!.isFull = false;
    (await started).send(frame('at last'));
    await until('it is heard', () => bed.bob.frames.length > 0);
  });

  it('is heard by both who have started at the same time', async () => {
    bed = new CallBed({}, {});
    const [out, back] = await Promise.all([
      bed.alice.calls.start('bob'),
      bed.bob.calls.start('alice'),
    ]);
    out.send(frame('a'));
    back.send(frame('b'));
    await until('both', () => bed.alice.frames.length + bed.bob.frames.length === 2);
  });

  it('goes on for longer than a grant, since each is renewed and shown again', async () => {
    const [out] = await talking();
    const { alice, bob } = bed;
    for (let minutes = 0; minutes < 28; minutes += 7) {
      out.send(frame(`${minutes}`));
      const shown = alice.current!.sent.filter(({ channel }) => channel === 'chat').length;
      const answered = bob.current!.sent.length;
      bed.nowMs += 420_000;
      await until('both are shown again', () => {
        const now = alice.current!.sent.filter(({ channel }) => channel === 'chat').length;
        return now > shown && bob.current!.sent.length > answered;
      });
      await pause(SETTLED_MS);
    }
    expect(bob.frames).toEqual(['0', '7', '14', '21']);
  });
});

describe('frames of a contact that does not look at its own rights', () => {
  it('S206: are not given out when it has shown no grant', async () => {
    bed = new CallBed(STARTS, JOINS);
    await pause(SETTLED_MS);
    expect(await heardBy(bed.bob, bed.alice, 'listen')).toBe(false);
    expect(bed.bob.refused).toEqual(['peer-no-grant']);
  });

  it('S206: are not given out when its grant does not say startCalls', async () => {
    await talking();
    bed.alice.may(JOINS);
    await until('it is shown', () => bed.alice.current!.sent.length === 2);
    await pause(SETTLED_MS);
    expect(await heardBy(bed.bob, bed.alice, 'listen')).toBe(false);
    expect(bed.bob.refused).toEqual(['peer-not-allowed']);
  });

  it('S206: are not given out to the caller when its grant does not say joinCalls', async () => {
    bed = new CallBed(STARTS, STARTS);
    await bed.alice.calls.start('bob');
    await until('the answer', () => bed.bob.current!.sent.length === 1);
    await pause(SETTLED_MS);
    expect(await heardBy(bed.alice, bed.bob, 'listen')).toBe(false);
    expect(bed.alice.refused).toEqual(['peer-not-allowed']);
  });

  it('S206: are given out until the end of the grant, ten minutes at most, when the right is gone', async () => {
    const [out] = await talking();
    out.send(frame('before'));
    // Its gateway gives it no other one, and it says nothing.
    bed.alice.calls.close();
    bed.nowMs = Math.floor(bed.nowMs / 1_000) * 1_000 + 598_000;
    expect(await heardBy(bed.bob, bed.alice, 'still')).toBe(true);
    bed.nowMs += 3_000;
    bed.bob.emit('connected');
    await pause(SETTLED_MS);
    expect(await heardBy(bed.bob, bed.alice, 'over')).toBe(false);
    expect(bed.bob.refused).toEqual(['peer-no-grant']);
  });

  it.each([
    ['of another device', { device: 'AwMDAwMDAwMDAwMDAwMDAw' }, 'grant-wrong-device'],
    ['that has ended', { exp: 1_700_000_000 }, 'grant-expired'],
    [
      'that lives for an hour',
      { exp: Math.floor(Date.now() / 1_000) + 3_600 },
      'grant-too-long-lived',
    ],
  ])('S206: are not given out when its grant is one %s', async (_, allowed, label) => {
    bed = new CallBed({ ...STARTS, ...allowed }, JOINS);
    const token = (await bed.alice.request('grant.issue', {})).grant;
    bed.alice.current!.send('chat', encodeCallGrant(ascii(token)));
    await until('it is judged', () => bed.bob.refused.length > 0);
    expect(await heardBy(bed.bob, bed.alice, 'listen')).toBe(false);
    expect(bed.bob.refused).toEqual([label, 'peer-no-grant']);
  });

  it('S206: are not given out under the grant of a session before', async () => {
    await talking();
    bed.connect();
    await pause(SETTLED_MS);
    expect(await heardBy(bed.bob, bed.alice, 'listen')).toBe(false);
  });
});

describe('a side whose own right ends', () => {
  it('S206: sends and hears nothing more at once', async () => {
    const [out, back] = await talking();
    bed.alice.may({ startCalls: false, joinCalls: false });
    await pause(SETTLED_MS);
    expect(() => {
      out.send(frame('more'));
    }).toThrow(expect.objectContaining({ reason: 'not-allowed' }));
    back.send(frame('more'));
    await until('it is judged', () => bed.alice.refused.length > 0);
    expect([bed.alice.frames, bed.alice.refused]).toEqual([[], ['not-allowed']]);
  });

  it('S206: keeps the grant while the gateway is away, until its end', async () => {
    const [out] = await talking();
    bed.isGatewayThere = false;
    bed.nowMs += 590_000;
    out.send(frame('still'));
    bed.nowMs += 11_000;
    expect(() => {
      out.send(frame('over'));
    }).toThrow(expect.objectContaining({ reason: 'no-grant' }));
  });
});
