import { canonicalQuantity, largerQuantity, quantityInNano, smallerQuantity } from './quantity.js';
import type { ResourceAmounts, ResourceRequirements } from './shapes.js';

/** `spec.resources` of a resource: any part may be left out; a limit can be changed, never removed. */
export interface ResourceOverrides {
  readonly requests?: Readonly<Partial<Record<ResourceName, string>>> | undefined;
  readonly limits?: Readonly<Partial<Record<ResourceName, string>>> | undefined;
}

/** `ephemeralStorage` is accepted as the CRD writes it; rendered is always `ephemeral-storage`. */
export type ResourceName = 'cpu' | 'memory' | 'ephemeralStorage' | 'ephemeral-storage';

const RENDERED = ['cpu', 'memory', 'ephemeral-storage'] as const;
type Rendered = (typeof RENDERED)[number];

/**
 * Requests and limits of a container: what `overrides` says, else `defaults`. A request above the default limit
 * raises that limit, a limit below the default request lowers that request, so that one field suffices.
 * @throws RangeError for what `resourcesProblem` finds.
 */
export function resources(
  overrides: ResourceOverrides | undefined,
  defaults: ResourceRequirements,
): ResourceRequirements {
  const problem = resourcesProblem(overrides);
  if (problem !== undefined) throw new RangeError(problem);
  return {
    requests: amounts((name) => {
      const limit = asked(overrides?.limits, name);
      const byDefault = defaults.requests[name];
      return (
        asked(overrides?.requests, name) ??
        (limit === undefined ? byDefault : smallerQuantity(byDefault, limit))
      );
    }),
    limits: amounts((name) => {
      const request = asked(overrides?.requests, name);
      const byDefault = defaults.limits[name];
      return (
        asked(overrides?.limits, name) ??
        (request === undefined ? byDefault : largerQuantity(byDefault, request))
      );
    }),
  };
}

/** The same with requests equal to limits (QoS class Guaranteed): a relay's CPU share is never taken away under load. */
export function guaranteedResources(
  overrides: ResourceOverrides | undefined,
  defaults: ResourceRequirements,
): ResourceRequirements {
  const { limits } = resources(overrides, defaults);
  return { requests: limits, limits };
}

/** What cannot be rendered in `overrides`, as a sentence that says what to write; undefined when all is well. */
export function resourcesProblem(overrides: ResourceOverrides | undefined): string | undefined {
  for (const name of RENDERED) {
    const problem = amountProblem(
      name,
      asked(overrides?.requests, name),
      asked(overrides?.limits, name),
    );
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function amountProblem(name: Rendered, request?: string, limit?: string): string | undefined {
  const given = [request, limit].filter((text) => text !== undefined);
  if (!given.every((text) => (quantityInNano(text) ?? 0n) > 0n)) {
    return `resources: ${name} is not a quantity above zero. Write for example 500m, 256Mi or 1Gi.`;
  }
  if (request === undefined || limit === undefined || !above(request, limit)) return undefined;
  return `resources: the request of ${name} is above its limit. Raise resources.limits or lower resources.requests.`;
}

function asked(
  from: Readonly<Partial<Record<ResourceName, string>>> | undefined,
  name: Rendered,
): string | undefined {
  return name === 'ephemeral-storage' ? (from?.[name] ?? from?.ephemeralStorage) : from?.[name];
}

function amounts(of: (name: Rendered) => string): ResourceAmounts {
  return {
    cpu: canonicalQuantity(of('cpu')),
    memory: canonicalQuantity(of('memory')),
    'ephemeral-storage': canonicalQuantity(of('ephemeral-storage')),
  };
}

function above(a: string, b: string): boolean {
  return (quantityInNano(a) ?? 0n) > (quantityInNano(b) ?? 0n);
}
