import { describe, expect, it } from '@jest/globals';
import { canonicalQuantity } from './quantity.js';

describe('a quantity', () => {
  // Examples of resource.Quantity in k8s.io/apimachinery, and what kube-apiserver 1.36 stores in limits.
  it.each([
    ['0', '0'],
    ['0Ki', '0'],
    ['-0', '0'],
    ['1.5', '1500m'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['12e6', '12e6'],
    ['1000k', '1M'],
    ['100n', '100n'],
    ['0.1n', '1n'],
    ['1.0001n', '2n'],
    ['1024', '1024'],
    ['1024Ki', '1Mi'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['0.5Ki', '512'],
    ['1.5Ki', '1536'],
    ['134217728', '134217728'],
    ['-1.5', '-1500m'],
  ])('%s is stored as %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(['', 'x', '1 Gi', '1gi', '1.2.3', '1e', '--1', '0x10'])('%j is none', (text) => {
    expect(canonicalQuantity(text)).toBeUndefined();
  });

  it('in its canonical form stays as it is', () => {
    for (const text of ['250m', '1Gi', '10Gi', '1500m', '1e3', '3k', '1536', '7Ti']) {
      expect(canonicalQuantity(text)).toBe(text);
    }
  });
});
