import { describe, expect, it } from '@jest/globals';
import { EntryPool } from './entry-pool.js';
import type { KubernetesObject } from './object.js';
import { projectOwn } from './projection.js';
import { StringPool } from './string-pool.js';

const aPool = () => new EntryPool(new StringPool().intern);
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a pool of status entries', () => {
  it('gives one object for equal entries of two lists', () => {
    const pool = aPool();
    const list = [
      { field: 'a', value: '1', source: 'Default' },
      { field: 'b', value: '2', source: 'Default' },
    ];
    const [first, second] = [pool.share(parsed(list)), pool.share(parsed(list))] as unknown[][];
    expect(second).toEqual(list);
    expect(second?.[0]).toBe(first?.[0]);
    expect(second?.[1]).toBe(first?.[1]);
  });

  it('keeps entries apart that differ in one value, in a field more, or inside', () => {
    const pool = aPool();
    for (const entry of [
      { type: 'Ready', status: 'True' },
      { type: 'Ready', status: 'False' },
      { type: 'Ready', status: 'False', observedGeneration: 2 },
      { type: 'Ready', status: 'False', observedGeneration: 3 },
      { type: 'Ready', nested: { a: 1 } },
      { type: 'Ready', nested: { a: 2 } },
      { type: 'Ready' },
    ]) {
      expect(pool.share([parsed(entry)])).toEqual([entry]);
    }
  });

  it('loses nothing of what is no list of named entries', () => {
    const pool = aPool();
    const odd = JSON.parse('[1, null, "text", [2], {"value": "x"}, {"type": 4}]') as unknown;
    expect(pool.share(odd)).toEqual(odd);
    expect(pool.share('text')).toBe('text');
    expect(pool.share(undefined)).toBeUndefined();
    const own = JSON.parse('[{"type": "a", "__proto__": {"b": 1}}]') as unknown;
    expect(JSON.stringify(pool.share(own))).toBe(JSON.stringify(own));
  });

  it('stays right when there are more names than it remembers', () => {
    const pool = aPool();
    const list = Array.from({ length: 2_500 }, (_, index) => ({ field: `f${index}`, value: 'v' }));
    expect(pool.share(parsed(list))).toEqual(list);
    expect(pool.share(parsed(list))).toEqual(list);
  });
});

describe('a resource of ours in the cache', () => {
  const text = `{"apiVersion": "sallyport.dev/v1alpha1", "kind": "SignalingGateway", "future": [1],
    "metadata": {"name": "web", "uid": "u", "managedFields": [{"manager": "kubectl"}], "future": {"a": null}},
    "spec": {"conditions": ["x"]},
    "status": {"conditions": [{"type": "Ready", "status": "True", "future": [1, {"a": "b"}]}],
      "effective": [{"field": "a", "value": "1", "source": "Spec"}], "future": {"effective": 1}}}`;

  it('is what the API server has, but for managedFields', () => {
    const pool = aPool();
    const object = JSON.parse(text) as KubernetesObject;
    const { managedFields: _, ...metadata } = object.metadata;
    const projected = projectOwn(object, (list) => pool.share(list));
    expect(JSON.stringify(projected)).toBe(JSON.stringify({ ...object, metadata }));
    expect(JSON.stringify(object)).toBe(JSON.stringify(JSON.parse(text)));
  });

  it('shares what its status repeats with the next one', () => {
    const pool = aPool();
    const list = [{ field: 'a', value: '1', source: 'Spec' }];
    const [a, b] = [1, 2].map((version) => {
      const { status } = projectOwn(
        {
          apiVersion: 'sallyport.dev/v1alpha1',
          kind: 'SignalingGateway',
          metadata: { name: 'web', resourceVersion: String(version) },
          status: { effective: parsed(list) },
        },
        (entries) => pool.share(entries),
      );
      return (status as { readonly effective: readonly unknown[] }).effective;
    });
    expect(a).toEqual(list);
    expect(a?.[0]).toBe(b?.[0]);
  });
});
