import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalHash, canonicalJson, canonicalObject } from './canonical.js';

describe('canonical JSON', () => {
  it('does not depend on the order in which fields were written', () => {
    const shuffled = fc.dictionary(fc.string(), fc.jsonValue()).map((record) => ({
      record,
      reversed: Object.fromEntries(Object.entries(record).reverse()),
    }));
    fc.assert(
      fc.property(shuffled, ({ record, reversed }) => {
        expect(canonicalJson(reversed)).toBe(canonicalJson(record));
        expect(JSON.parse(canonicalJson(record))).toEqual(JSON.parse(JSON.stringify(record)));
      }),
    );
  });

  it('tells apart what differs, order in lists included', () => {
    expect(canonicalHash([1, 2])).not.toBe(canonicalHash([2, 1]));
    expect(canonicalHash({ a: {} })).not.toBe(canonicalHash({}));
    expect(canonicalHash({ a: undefined })).toBe(canonicalHash({}));
    expect(canonicalHash({})).toHaveLength(43);
  });
});

describe('the canonical form of an object', () => {
  const metadata = { name: 'a', labels: {}, annotations: { x: '' }, finalizers: [] };

  it('is without what the API server drops, and keeps what it keeps', () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        paused: false,
        replicas: 0,
        selector: { matchLabels: {} },
        template: {
          spec: {
            hostNetwork: false,
            automountServiceAccountToken: false,
            nodeSelector: {},
            nothing: null,
            volumes: [{ name: 'tmp', emptyDir: {} }],
            containers: [
              {
                args: [],
                env: [{ name: 'E', value: '' }],
                resources: { limits: { cpu: '1000m', memory: 1024 } },
              },
            ],
          },
        },
      },
    };
    const before = JSON.stringify(object);
    expect(canonicalObject(object)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a', annotations: { x: '' } },
      spec: {
        replicas: 0,
        selector: {},
        template: {
          spec: {
            automountServiceAccountToken: false,
            volumes: [{ name: 'tmp', emptyDir: {} }],
            containers: [
              { env: [{ name: 'E' }], resources: { limits: { cpu: '1', memory: '1024' } } },
            ],
          },
        },
      },
    });
    expect(JSON.stringify(object)).toBe(before);
  });

  it('leaves the data of a Secret and the spec of a custom resource alone', () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: { value: '', limits: '' } };
    expect(canonicalObject(secret)).toMatchObject({ data: { value: '', limits: '' } });
    expect(canonicalObject({ ...secret, data: {} })).not.toHaveProperty('data');
    const spec = { list: [], labels: {}, value: '', limits: { cpu: '1000m' } };
    const custom = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata,
      spec,
    };
    expect(canonicalObject(custom)).toEqual({
      ...custom,
      metadata: { name: 'a', annotations: { x: '' } },
    });
  });

  it('is its own canonical form', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { a: [[], [{}]], limits: { cpu: '0.5' } },
    };
    const once = canonicalObject(object);
    expect(canonicalObject(once)).toEqual(once);
  });
});
