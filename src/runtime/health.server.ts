import { ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheck } from './health.js';
import { ProbeServer, type ListenOn, type ProbeAnswer } from './probe.server.js';

/** What the port shows. */
export interface HealthPages {
  /** Is the process itself alive? When this fails the pod is restarted. */
  readonly live: readonly HealthCheck[];
  /** Can it do its work? */
  readonly ready: readonly HealthCheck[];
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
}

/**
 * Serves `/livez`, `/readyz` and `/metrics` of a program made of Nest modules: the two probes are JSON of Terminus, 503
 * when a check is down.
 * @throws ActionableError ERR_LISTEN when the port cannot be bound.
 */
export function startHealthServer(
  { live, ready, metrics }: HealthPages,
  health: HealthCheckService,
  listen: ListenOn,
): Promise<ProbeServer> {
  const pages = {
    live: () => checked(live, health),
    ready: () => checked(ready, health),
    metrics,
  };
  return ProbeServer.start(pages, listen);
}

async function checked(
  checks: readonly HealthCheck[],
  health: HealthCheckService,
): Promise<ProbeAnswer> {
  const indicators = new HealthIndicatorService();
  try {
    const result = await health.check(
      checks.map((check) => () => {
        const { name, state, facts } = check();
        const indicator = indicators.check(name);
        if (state === 'up') return indicator.up(facts);
        return state === 'degraded' ? indicator.degraded(facts) : indicator.down(facts);
      }),
    );
    return json(200, result);
  } catch (error) {
    if (error instanceof ServiceUnavailableException) return json(503, error.getResponse());
    throw error;
  }
}

const json = (code: number, body: unknown): ProbeAnswer => ({
  code,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});
