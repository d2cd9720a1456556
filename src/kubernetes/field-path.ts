import { canonicalJson } from './canonical.js';

/**
 * One step into an object: a field, an item of a list by its keys, an item of a set by its value, or an
 * index (Kubernetes, FieldsV1: `f:`, `k:`, `v:`, `i:`).
 */
export type PathStep =
  | { readonly field: string }
  | { readonly keys: Readonly<Record<string, unknown>> }
  | { readonly value: unknown }
  | { readonly index: number };

/** Where something stands in an object. */
export type FieldPath = readonly PathStep[];

/** A node of FieldsV1: what a manager owns below one path. Empty: the path itself, with all below it. */
export type FieldTree = Readonly<Record<string, unknown>>;

/** The member of a FieldTree that says that the path itself is owned, besides some paths below. */
export const SELF = '.';

/** `spec.template.spec.containers[name="gateway"].image`, for people. */
export function formatPath(path: FieldPath): string {
  return path.map(formatStep).join('').replace(/^\./, '');
}

function formatStep(step: PathStep): string {
  if ('field' in step) return /[./]/.test(step.field) ? `[${step.field}]` : `.${step.field}`;
  if ('index' in step) return `[${step.index}]`;
  if ('value' in step) return `[=${JSON.stringify(step.value)}]`;
  const keys = Object.entries(step.keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${keys.join(',')}]`;
}

/** The same members come with every object; more different ones than this are not repetitions any more. */
const MAX_STEPS = 10_000;

const steps = new Map<string, PathStep | undefined>();

/** The step that a member of a FieldTree stands for; undefined for `.` and for what is not known. */
export function stepOf(member: string): PathStep | undefined {
  if (steps.has(member)) return steps.get(member);
  const step = parsedStep(member);
  if (steps.size >= MAX_STEPS) steps.clear();
  steps.set(member, step);
  return step;
}

function parsedStep(member: string): PathStep | undefined {
  const rest = member.slice(2);
  switch (member.slice(0, 2)) {
    case 'f:':
      return { field: rest };
    case 'k:': {
      const keys = parsed(rest);
      return isRecord(keys) ? { keys } : undefined;
    }
    case 'v:':
      return { value: parsed(rest) };
    case 'i:':
      return { index: Number(rest) };
    default:
      return undefined;
  }
}

/** Whether two steps lead to the same place. */
export function sameStep(a: PathStep, b: PathStep): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** What stands below `step` in `tree`: `undefined` when the tree does not go there. */
export function subtree(tree: FieldTree, step: PathStep): FieldTree | undefined {
  if ('field' in step) return asTree(tree[`f:${step.field}`]);
  for (const [member, below] of Object.entries(tree)) {
    const other = stepOf(member);
    if (other && sameStep(other, step)) return asTree(below);
  }
  return undefined;
}

/** Whether the tree ends here: the path is owned with everything below it. */
export function isLeaf(tree: FieldTree): boolean {
  return Object.keys(tree).length === 0;
}

/** Whether an item of a list is the one that `keys` names. */
export function hasKeys(item: unknown, keys: Readonly<Record<string, unknown>>): boolean {
  if (!isRecord(item)) return false;
  return Object.entries(keys).every(([key, value]) => equalJson(item[key], value));
}

/** Whether two JSON values are equal. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  return canonicalJson(a) === canonicalJson(b);
}

/** `value` when it is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asTree(value: unknown): FieldTree | undefined {
  return isRecord(value) ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
