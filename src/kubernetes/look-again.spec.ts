import { describe, expect, it } from '@jest/globals';
import { LookAgainRequests } from './look-again.js';
import { orphanKey, orphansOf } from './orphans.js';
import type { Child } from './cluster.js';
import { fixedNamespaces, isInScope, scopeChange } from './namespace-scope.js';
import { forEachBounded } from './bounded.js';

const owner = { kind: 'RelayPool', namespace: 'talk', name: 'eu' };
const key = { namespace: 'talk', name: 'eu' };

describe('what carrying out asks of the queue', () => {
  it('is taken once, by kind and key', () => {
    const requests = new LookAgainRequests();
    requests.ask(owner, { afterMs: 5 });
    expect(requests.take('SignalingGateway', key)).toEqual({ backoff: false });
    expect(requests.take('RelayPool', key)).toEqual({ backoff: false, requeueAfterMs: 5 });
    expect(requests.take('RelayPool', key)).toEqual({ backoff: false });
  });

  it('is the soonest of several times, and a retry if any asks for one', () => {
    const requests = new LookAgainRequests();
    requests.ask(owner, { afterMs: 50 });
    requests.ask(owner, { backoff: true });
    requests.ask(owner, { afterMs: 20 });
    requests.ask(owner, { afterMs: 90 });
    expect(requests.take('RelayPool', key)).toEqual({ backoff: true, requeueAfterMs: 20 });
  });
});

describe('a copy in another namespace', () => {
  // Only its owner and labels decide.
  const copy = {
    ownerUid: 'gone',
    labels: { 'sallyport.dev/owner-namespace': 'talk' },
  } as unknown as Child;
  const change = { ref: { apiVersion: 'v1', ...owner }, uid: 'x' };
  const none = { children: () => [] };

  it('is looked at under its owner', () => {
    expect(orphanKey(copy)).toEqual({ namespace: 'talk', name: 'gone' });
    expect(orphanKey({ labels: {}, ownerUid: 'gone' })).toBeUndefined();
  });

  it('is looked at when it is seen without its owner, or when its owner goes', () => {
    const seen = { ...change, type: 'Added', now: { own: false, child: copy } } as const;
    expect(orphansOf(seen, none, () => false)).toEqual([{ namespace: 'talk', name: 'gone' }]);
    expect(orphansOf(seen, none, () => true)).toEqual([]);
    const object = { apiVersion: 'v1', kind: 'RelayPool', metadata: { name: 'eu' } };
    const deleted = { ...change, type: 'Deleted', now: { own: true, object } } as const;
    expect(orphansOf(deleted, { children: () => [copy] }, () => false)).toHaveLength(1);
    expect(
      orphansOf({ ...deleted, type: 'Updated' }, { children: () => [copy] }, () => false),
    ).toEqual([]);
  });
});

describe('the namespaces of an operator', () => {
  it('that are named are fixed, each once; all of them are one watch', () => {
    expect(fixedNamespaces({ type: 'Named', namespaces: ['b', 'a', 'b'] })).toEqual(['a', 'b']);
    expect(fixedNamespaces({ type: 'All' })).toEqual([undefined]);
    expect(fixedNamespaces({ type: 'Labelled', labelSelector: 'x' })).toEqual([]);
  });

  it('come and go', () => {
    expect(scopeChange(new Set(['a', 'b']), new Set(['b', 'd', 'c']))).toEqual({
      taken: ['c', 'd'],
      dropped: ['a'],
    });
  });

  it('are in scope when they are watched', () => {
    expect(isInScope({ type: 'All' }, new Set(), 'x')).toBe(true);
    expect(isInScope({ type: 'Named', namespaces: ['x'] }, new Set(['x']), 'x')).toBe(true);
    expect(isInScope({ type: 'Named', namespaces: ['x'] }, new Set(['x']), 'y')).toBe(false);
  });
});

describe('work in bounds', () => {
  it('never runs more than the limit at once, and runs all', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await forEachBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      done.push(item);
    });
    expect(most).toBe(2);
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('starts nothing after a failure, waits for what runs, and passes the failure on', async () => {
    const done: number[] = [];
    const work = forEachBounded([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) throw new Error('first');
      await new Promise((resolve) => setTimeout(resolve, 5));
      done.push(item);
    });
    await expect(work).rejects.toThrow('first');
    expect(done).toEqual([2]);
  });
});
