/** The state of one part of a program. `degraded` still serves: the answer stays 200. */
export type HealthState = 'up' | 'degraded' | 'down';

/** One named check. `facts` are shown to whoever may reach the port: counts, ages and roles, never secrets. */
export interface HealthReport {
  readonly name: string;
  readonly state: HealthState;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** Answers at once from memory. Liveness must not depend on anything outside the process. */
export type HealthCheck = () => HealthReport;
