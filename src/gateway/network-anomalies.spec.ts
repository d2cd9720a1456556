import { describe, expect, it } from '@jest/globals';
import { createMetricsRegistry } from '../runtime/metrics.registry.js';
import { NETWORK_ANOMALIES, networkAnomalies } from './network-anomalies.js';
import { busMetrics } from './signaling/bus-metrics.js';

const NAME = 'sallyport_network_anomalies_total';

describe('the counter of network anomalies', () => {
  it('is one for all who ask, with every kind at 0, and another in another process', async () => {
    const metrics = createMetricsRegistry({ processMetrics: false });
    const counter = networkAnomalies(metrics);
    expect(networkAnomalies(metrics)).toBe(counter);
    expect(networkAnomalies(createMetricsRegistry({ processMetrics: false }))).not.toBe(counter);
    const text = await metrics.text();
    for (const kind of NETWORK_ANOMALIES) expect(text).toContain(`${NAME}{kind="${kind}"} 0`);
  });

  it('has no more kinds than a label may have values', () => {
    expect(NETWORK_ANOMALIES.length).toBeLessThanOrEqual(12);
    expect(new Set(NETWORK_ANOMALIES).size).toBe(NETWORK_ANOMALIES.length);
  });

  it('counts what arrives on the bus and is none of our messages, and nothing else of it', async () => {
    const metrics = createMetricsRegistry({ processMetrics: false });
    const bus = busMetrics(metrics, () => 1);
    bus.received('taken');
    bus.received('late');
    expect(await metrics.text()).toContain(`${NAME}{kind="bus-frame"} 0`);
    bus.received('not-json');
    bus.received('bad-message');
    expect(await metrics.text()).toContain(`${NAME}{kind="bus-frame"} 2`);
  });
});
