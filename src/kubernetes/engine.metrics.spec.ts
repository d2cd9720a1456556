import { describe, expect, it } from '@jest/globals';
import { createMetricsRegistry } from '../runtime/metrics.registry.js';
import { EngineMetrics } from './engine.metrics.js';
import type { EngineState } from './engine.metrics.js';

function someMetrics(state: Partial<EngineState> = {}) {
  const registry = createMetricsRegistry({ processMetrics: false });
  const metrics = new EngineMetrics({ metrics: registry, lease: 'sallyport' });
  const full: EngineState = {
    queues: new Map(),
    leading: false,
    cacheObjects: new Map(),
    lastEventAgeMs: 0,
    eventLoopLagMs: 0,
    paused: new Map(),
    fights: 0,
    ...state,
  };
  metrics.begin(['gateway'], ['Secret'], () => full);
  return { metrics, text: () => registry.text() };
}

const figures = {
  depth: 3,
  delayed: 0,
  processing: 1,
  oldestAgeMs: 1500,
  longestRunningMs: 250,
  addsTotal: 7,
  retriesTotal: 2,
};

describe('the metrics of the engine', () => {
  it('are at 0 before anything happened, for every label that will exist', async () => {
    const text = await someMetrics().text();
    for (const line of [
      'controller_runtime_reconcile_total{controller="gateway",result="success"} 0',
      'controller_runtime_reconcile_total{controller="gateway",result="requeue_after"} 0',
      'controller_runtime_reconcile_errors_total{controller="gateway"} 0',
      'sallyport_drift_reverts_total{kind="Secret"} 0',
      'sallyport_watch_relists_total{kind="Secret"} 0',
      'sallyport_watch_reconnects_total{kind="Secret"} 0',
      'sallyport_applies_total{kind="Secret",outcome="Adopted"} 0',
      'sallyport_events_dropped_total{reason="Full"} 0',
      'leader_election_master_status{name="sallyport"} 0',
      'sallyport_fight_active 0',
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('show the queue under the names of client-go, its totals as counters', async () => {
    const { text } = someMetrics({ queues: new Map([['gateway', figures]]) });
    await text();
    const second = await text();
    for (const line of [
      'workqueue_depth{name="gateway"} 3',
      'workqueue_longest_running_processor_seconds{name="gateway"} 0.25',
      'workqueue_unfinished_work_seconds{name="gateway"} 1.5',
      'workqueue_adds_total{name="gateway"} 7',
      'workqueue_retries_total{name="gateway"} 2',
      '# TYPE workqueue_adds_total counter',
    ])
      expect(second).toContain(`${line}\n`);
  });

  it('count calls by status and HTTP method, as client-go labels them', async () => {
    const { metrics, text } = someMetrics();
    metrics.called({ verb: 'patch', resource: 'secrets', code: 201, seconds: 0.1 });
    metrics.called({ verb: 'list', resource: 'secrets', code: 0, seconds: 0.1 });
    const shown = await text();
    expect(shown).toContain('rest_client_requests_total{code="201",method="PATCH"} 1\n');
    expect(shown).toContain('rest_client_requests_total{code="<error>",method="GET"} 1\n');
  });

  it('count what passes did and how long reconciles took', async () => {
    const { metrics, text } = someMetrics({
      leading: true,
      fights: 2,
      paused: new Map([['X', 4]]),
    });
    metrics.reconciled('gateway', 'error', 0.02);
    metrics.waited('gateway', 0.5);
    metrics.passed({
      owner: { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' } },
      outcomes: [
        { kind: 'Secret', outcome: 'Created' },
        { kind: 'Secret', outcome: 'Nothing' },
      ],
      repaired: [{ kind: 'Secret', name: 'x', field: 'data', manager: 'm' }],
      left: [],
      carriedOut: { applied: [], pruned: [], failed: [], statusWritten: false },
    });
    const shown = await text();
    for (const line of [
      'controller_runtime_reconcile_errors_total{controller="gateway"} 1',
      'controller_runtime_reconcile_time_seconds_count{controller="gateway"} 1',
      'workqueue_queue_duration_seconds_sum{name="gateway"} 0.5',
      'sallyport_applies_total{kind="Secret",outcome="Created"} 1',
      'sallyport_drift_reverts_total{kind="Secret"} 1',
      'leader_election_master_status{name="sallyport"} 1',
      'sallyport_fight_active 2',
      'sallyport_paused{kind="X"} 4',
    ])
      expect(shown).toContain(`${line}\n`);
    expect(shown).not.toContain('outcome="Nothing"');
  });
});
