/* What kinds have in common that apply to gateways of their namespace, by name or by label. */
import type { Verdict } from '../../kubernetes/plan.js';
import { TEXT_RULES, type SpecRule } from './text-rules.js';

/** `spec.gateways`. */
export interface GatewaySelection {
  readonly names?: readonly string[];
  readonly selector?: object;
}

/** A resource as far as it selects gateways. */
export interface SelectsGateways {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly gateways: GatewaySelection };
}

/** What every such kind obeys, before the rules of its own. */
export const SELECTION_RULES: readonly SpecRule<SelectsGateways>[] = [
  ...TEXT_RULES,
  ({ spec: { gateways } }) =>
    (gateways.names === undefined) === (gateways.selector === undefined)
      ? 'write either gateways.names or gateways.selector, exactly one of them.'
      : undefined,
];

/** What the first broken one of `rules` says; undefined when all are kept. */
export function firstProblem<T>(rules: readonly SpecRule<T>[], resource: T): string | undefined {
  for (const rule of rules) {
    const message = rule(resource);
    if (message !== undefined) return message;
  }
  return undefined;
}

/** The names in `gateways.names` that no gateway of the namespace has, sorted. */
export function missingGateways(
  { spec: { gateways } }: SelectsGateways,
  known: readonly string[],
): readonly string[] {
  return (gateways.names ?? []).filter((name) => !known.includes(name)).sort();
}

/** What to do about gateways that do not exist. */
export function missingMessage(missing: readonly string[]): string {
  return `There is no SignalingGateway ${missing.join(', ')} in this namespace: create it, or correct gateways.names.`;
}

/** `GatewaysFound`: whether every gateway is there that the spec names, and any that it selects. */
export function gatewaysFoundVerdict(
  missing: readonly string[],
  selected: number,
): Verdict<'GatewaysFound', 'GatewayNotFound' | 'AllFound' | 'NoGatewaySelected'> {
  const type = 'GatewaysFound';
  if (missing.length > 0) {
    return { type, status: 'False', reason: 'GatewayNotFound', message: missingMessage(missing) };
  }
  if (selected > 0) {
    const message = `Applies to ${selected} gateway(s).`;
    return { type, status: 'True', reason: 'AllFound', message };
  }
  const message =
    'No SignalingGateway of this namespace has these labels: change gateways.selector, or label a gateway.';
  return { type, status: 'False', reason: 'NoGatewaySelected', message };
}
