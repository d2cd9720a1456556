import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';

import { canonicalQuantity, quantityInNano } from './quantity.js';
import { guaranteedResources, resources, resourcesProblem } from './resources.js';

const defaults = {
  requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '64Mi' },
  limits: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '256Mi' },
};

describe('resources', () => {
  it('are the defaults where a user says nothing', () => {
    expect(resources(undefined, defaults)).toEqual(defaults);
    expect(resources({ limits: {} }, defaults)).toEqual(defaults);
  });

  it('follow a request above the default limit and a limit below the default request', () => {
    const { limits } = resources({ requests: { memory: '2Gi' } }, defaults);
    expect(limits.memory).toBe('2Gi');
    const { requests } = resources({ limits: { cpu: '50m' } }, defaults);
    expect(requests.cpu).toBe('50m');
  });

  it('write what a user writes in canonical form', () => {
    const written = resources(
      { requests: { cpu: '0.5', memory: '1024Mi' }, limits: { ephemeralStorage: '1024Mi' } },
      defaults,
    );
    expect(written.requests).toMatchObject({ cpu: '500m', memory: '1Gi' });
    expect(written.limits['ephemeral-storage']).toBe('1Gi');
  });

  it('always bound cpu, memory and ephemeral storage, requests never above limits', () => {
    const amount = fc.option(fc.constantFrom('1m', '250m', '1', '3', '0.25'), { nil: undefined });
    const size = fc.option(fc.constantFrom('1Mi', '100Mi', '1Gi', '1.5Gi', '3G'), {
      nil: undefined,
    });
    const side = fc.record({ cpu: amount, memory: size, ephemeralStorage: size });
    fc.assert(
      fc.property(side, side, (requests, limits) => {
        const overrides = { requests, limits } as never;
        fc.pre(resourcesProblem(overrides) === undefined);
        const written = resources(overrides, defaults);
        for (const name of ['cpu', 'memory', 'ephemeral-storage'] as const) {
          const [request, limit] = [written.requests[name], written.limits[name]];
          expect(quantityInNano(request)).toBeLessThanOrEqual(quantityInNano(limit)!);
          expect(canonicalQuantity(request)).toBe(request);
          expect(canonicalQuantity(limit)).toBe(limit);
        }
      }),
    );
  });

  it.each([
    { requests: { cpu: '2' }, limits: { cpu: '1' } },
    { requests: { cpu: 'much' } },
    { limits: { memory: '0' } },
    { limits: { memory: '-1Gi' } },
    { limits: { cpu: '1\n' } },
  ])('refuse %j and say what to write', (overrides) => {
    expect(resourcesProblem(overrides)).toMatch(/^resources: .*(Write|Raise)/);
    expect(() => resources(overrides, defaults)).toThrow(RangeError);
  });

  it('of a relay are guaranteed: requests equal limits', () => {
    const { requests, limits } = guaranteedResources({ limits: { cpu: '2' } }, defaults);
    expect(requests).toEqual(limits);
    expect(limits.cpu).toBe('2');
  });
});

describe('a quantity', () => {
  it.each([
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1024Mi', '1Gi'],
    ['1536Mi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['1000M', '1G'],
    ['1024', '1024'],
  ])('%s is stored as %s', (written, stored) => {
    expect(canonicalQuantity(written)).toBe(stored);
    expect(quantityInNano(written)).toBe(quantityInNano(stored));
  });

  it.each(['', '1 Gi', '1e3', '-1', '+1', 'Gi', '1Zi', '1.', '.5'])('refuses %j', (text) => {
    expect(() => canonicalQuantity(text)).toThrow(RangeError);
  });

  it('orders by value', () => {
    const ordered = [
      '1n',
      '1u',
      '1m',
      '1',
      '1k',
      '1Ki',
      '1M',
      '1Mi',
      '1G',
      '1Gi',
      '1T',
      '1Ti',
      '1P',
      '1Pi',
      '1E',
      '1Ei',
    ];
    const values = ordered.map((text) => quantityInNano(text)!);
    expect([...values].sort((a, b) => (a < b ? -1 : 1))).toEqual(values);
    expect(values[4]).toBe(1_000_000_000_000n);
    expect(values[5]).toBe(1_024_000_000_000n);
  });
});
