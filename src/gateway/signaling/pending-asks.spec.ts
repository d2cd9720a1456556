import { describe, expect, it } from '@jest/globals';
import { MAX_PENDING_ASKS, PendingAsks, type AnswerBody } from './pending-asks.js';

const YES = { delivered: true };

function asked(firstOnly: boolean, replicas = ['b', 'c']) {
  const asks = new PendingAsks();
  const done: (readonly AnswerBody[])[] = [];
  const id = asks.begin({ type: 'deliver', replicas, firstOnly }, (answers) => done.push(answers));
  return { asks, done, id: id! };
}

describe('a question to which one answer is enough', () => {
  it('ends with the first answer that says something', () => {
    const { asks, done, id } = asked(true);
    expect(asks.answer(id, 'b', undefined)).toBe('taken');
    expect(done).toEqual([]);
    expect(asks.answer(id, 'c', YES)).toBe('taken');
    expect(done).toEqual([[YES]]);
  });
  it('ends without an answer when every replica has said that it has none', () => {
    const { asks, done, id } = asked(true);
    asks.answer(id, 'b', undefined);
    asks.answer(id, 'c', undefined);
    expect(done).toEqual([[]]);
  });
  it('ends once: what comes afterwards is late', () => {
    const { asks, done, id } = asked(true);
    asks.answer(id, 'b', YES);
    expect(asks.answer(id, 'c', YES)).toBe('late');
    asks.end(id);
    expect(done).toHaveLength(1);
  });
  it('takes no answer that does not fit, nor one of who was not asked, nor a second one', () => {
    const { asks, done, id } = asked(true);
    expect(asks.answer(id, 'stranger', YES)).toBe('late');
    expect(asks.answer(id, 'b', { delivered: 1 })).toBe('bad-answer');
    expect(asks.answer(id, 'b', YES)).toBe('late');
    expect(done).toEqual([]);
  });
});

describe('a question to all', () => {
  it('waits for each replica and gives all answers', () => {
    const { asks, done, id } = asked(false);
    asks.answer(id, 'b', YES);
    expect(done).toEqual([]);
    asks.answer(id, 'c', { delivered: false });
    expect(done).toEqual([[YES, { delivered: false }]]);
  });
  it('gives those that came when its time is over', () => {
    const { asks, done, id } = asked(false);
    asks.answer(id, 'b', YES);
    asks.end(id);
    expect(done).toEqual([[YES]]);
  });
  it('does not wait for a replica that has gone', () => {
    const { asks, done, id } = asked(false);
    asks.answer(id, 'b', YES);
    asks.gone('c');
    expect(done).toEqual([[YES]]);
  });
});

describe('questions of which too many wait', () => {
  it('are not asked, and the others still end', () => {
    const asks = new PendingAsks();
    let ended = 0;
    const question = { type: 'deliver', replicas: ['b'], firstOnly: true } as const;
    for (let n = 0; n < MAX_PENDING_ASKS; n++) asks.begin(question, () => (ended += 1));
    expect(asks.begin(question, () => (ended += 1))).toBeUndefined();
    asks.endAll();
    expect(ended).toBe(MAX_PENDING_ASKS);
  });
});
