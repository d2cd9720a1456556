/*
 * Where every value comes from. The order of truth: what the resource says, else the documented default; then
 * tightened, never loosened, by every constraint that applies. Rooms read the result and compare no numbers.
 */

import { GATEWAY_DEFAULTS, NOT_CONSTRAINABLE } from './defaults.js';
import type { GatewayValues } from './defaults.js';

/** A bound that a CompliancePolicy puts on one number. */
export interface Constraint {
  /** Name of the CompliancePolicy. */
  readonly policy: string;
  /** Path of the field below `spec`, `authentication.sessions.idleTimeoutSeconds`. */
  readonly field: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Where a value comes from. */
export type ValueSource =
  | { readonly kind: 'Default' }
  | { readonly kind: 'Spec' }
  | { readonly kind: 'CompliancePolicy'; readonly name: string };

/** `source` as status.effective shows it: `Default`, `Spec`, `CompliancePolicy hipaa`. */
export function sourceText(source: ValueSource): string {
  return source.kind === 'CompliancePolicy' ? `CompliancePolicy ${source.name}` : source.kind;
}

/** One effective value with its source. */
export interface Provenance {
  /** Path below `spec`. */
  readonly field: string;
  readonly value: unknown;
  readonly source: ValueSource;
}

/** Two constraints on one field that cannot both be met. */
export interface ConstraintConflict {
  readonly field: string;
  readonly atLeast: { readonly value: number; readonly policy: string };
  readonly atMost: { readonly value: number; readonly policy: string };
}

/** The effective values of a resource, one entry per leaf, and what contradicts itself. */
export interface Effective<Values> {
  readonly values: Values;
  /** Sorted by field. */
  readonly provenance: readonly Provenance[];
  readonly conflicts: readonly ConstraintConflict[];
}

type Tree = Readonly<Record<string, unknown>>;

/** What a SignalingGateway's spec means: see effectiveValues. */
export function effectiveGateway(
  spec: object,
  constraints: readonly Constraint[] = [],
): Effective<GatewayValues> {
  return effectiveValues(spec, GATEWAY_DEFAULTS, constraints);
}

/**
 * The sections of `spec` that `defaults` names, with every unset leaf taken from `defaults` and every number
 * tightened by `constraints`. Lists are leaves: a list that is set replaces the default as a whole. Where two
 * constraints contradict each other the value stays within the upper one, and the conflict is reported.
 */
export function effectiveValues<Values extends object>(
  spec: object,
  defaults: Values,
  constraints: readonly Constraint[] = [],
): Effective<Values> {
  const paths = leafPaths(defaults as Tree, spec as Tree);
  const decided = paths.map((field) => decide(field, spec as Tree, defaults as Tree, constraints));
  return {
    values: decided.reduce<Tree>(
      (tree, { field, value }) => place(tree, field.split('.'), value),
      {},
    ) as Values,
    provenance: decided.map(({ field, value, source }) => ({ field, value, source })),
    conflicts: decided.flatMap(({ conflict }) => (conflict === undefined ? [] : [conflict])),
  };
}

function decide(
  field: string,
  spec: Tree,
  defaults: Tree,
  constraints: readonly Constraint[],
): Provenance & { readonly conflict?: ConstraintConflict } {
  const chosen = read(spec, field);
  const value = chosen ?? read(defaults, field);
  const source: ValueSource = { kind: chosen === undefined ? 'Default' : 'Spec' };
  if (typeof value !== 'number') return { field, value, source };
  return tighten(
    { field, value, source },
    constraints.filter((constraint) => constraint.field === field),
  );
}

function tighten(
  stated: Provenance & { readonly value: number },
  constraints: readonly Constraint[],
): Provenance & { readonly conflict?: ConstraintConflict } {
  const { field, value } = stated;
  const atLeast = strictest(constraints, 'atLeast', Math.max);
  const atMost = strictest(constraints, 'atMost', Math.min);
  const conflict =
    atLeast && atMost && atLeast.value > atMost.value
      ? { conflict: { field, atLeast, atMost } }
      : {};
  if (atMost && value > atMost.value) return { ...by(field, atMost), ...conflict };
  if (atLeast && value < atLeast.value) {
    return { ...by(field, 'conflict' in conflict && atMost ? atMost : atLeast), ...conflict };
  }
  return { ...stated, ...conflict };
}

function by(field: string, bound: { value: number; policy: string }): Provenance {
  return { field, value: bound.value, source: { kind: 'CompliancePolicy', name: bound.policy } };
}

function strictest(
  constraints: readonly Constraint[],
  side: 'atLeast' | 'atMost',
  choose: (...values: number[]) => number,
): { value: number; policy: string } | undefined {
  const bounds = constraints.flatMap((constraint) => {
    const value = constraint[side];
    return value === undefined ? [] : [{ value, policy: constraint.policy }];
  });
  const bound = choose(...bounds.map(({ value }) => value));
  const holders = bounds
    .filter(({ value }) => value === bound)
    .sort((a, b) => (a.policy < b.policy ? -1 : 1));
  return holders[0];
}

/** Every leaf of both trees, below the sections of the first: a set field without a default is shown too. */
function leafPaths(defaults: Tree, spec: Tree): readonly string[] {
  const stated = Object.fromEntries(
    Object.keys(defaults).flatMap((name) => (name in spec ? [[name, spec[name]]] : [])),
  );
  const constrainable = leaves(stated).filter((path) => !isFree(path));
  return [...new Set([...leaves(defaults), ...constrainable])].sort();
}

function isFree(path: string): boolean {
  return [...NOT_CONSTRAINABLE].some((free) => path === free || path.startsWith(`${free}.`));
}

function leaves(tree: Tree, prefix = ''): readonly string[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return isTree(value) ? leaves(value, `${prefix}${name}.`) : [`${prefix}${name}`];
  });
}

function read(tree: Tree, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((node, name) => (isTree(node) ? node[name] : undefined), tree);
}

function place(tree: Tree, [name = '', ...rest]: readonly string[], value: unknown): Tree {
  if (rest.length === 0) return { ...tree, [name]: value };
  const below = tree[name];
  return { ...tree, [name]: place(isTree(below) ? below : {}, rest, value) };
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
