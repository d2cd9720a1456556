/*
 * What /readyz says. A relay that drains stays ready: not-ready would cut the very sessions that draining protects
 * (architecture, 5). A file that went bad while the relay runs does not take it out either, because the content before
 * still holds; the body says so.
 */

/** What readiness depends on. */
export interface RelayCondition {
  readonly draining: boolean;
  /** Why it cannot serve: missing keys, no certificate, a listener that is not up. */
  readonly problems: readonly string[];
  /** What went wrong and does not matter yet. */
  readonly warnings: readonly string[];
}

/** Status and text of an answer. */
export interface ReadyAnswer {
  readonly code: 200 | 503;
  readonly body: string;
}

/** The answer: `ready`, `draining`, or `not ready` with one reason per line. */
export function readyAnswer({ draining, problems, warnings }: RelayCondition): ReadyAnswer {
  if (draining) return { code: 200, body: 'draining' };
  if (problems.length > 0) return { code: 503, body: ['not ready', ...problems].join('\n') };
  return { code: 200, body: ['ready', ...warnings].join('\n') };
}
