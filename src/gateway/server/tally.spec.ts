import { describe, expect, it } from '@jest/globals';
import { createMetricsRegistry } from '../../runtime/metrics.registry.js';
import { Tally } from './tally.js';

describe('a tally', () => {
  it('shows every series from the beginning, and what was counted at each scrape', async () => {
    const registry = createMetricsRegistry({ processMetrics: false });
    const values = ['in', 'out'] as const;
    const tally = new Tally(registry, {
      ...{ name: 'messages_total', help: 'Messages.' },
      ...{ label: 'direction', values },
    });
    const series = async () =>
      (await registry.text()).split('\n').filter((line) => line.startsWith('messages_total{'));
    expect(await series()).toEqual([
      'messages_total{direction="in"} 0',
      'messages_total{direction="out"} 0',
    ]);
    for (let i = 0; i < 3; i++) tally.inc('out');
    expect((await series())[1]).toBe('messages_total{direction="out"} 3');
    expect((await series())[1]).toBe('messages_total{direction="out"} 3');
  });
});
