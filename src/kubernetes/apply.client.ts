import { isApiError } from './api-error.js';
import { listRepairPatch, withoutUpdatesPatch } from './list-repair.js';
import type { KubernetesObject } from './object.js';

/** The calls about one object that we apply. */
export interface RepairCalls {
  /** Applies it by force, in its canonical form. */
  apply(): Promise<KubernetesObject>;
  read(): Promise<KubernetesObject | undefined>;
  /** JSON merge patch with the manager that applies. */
  mergePatch(patch: Readonly<Record<string, unknown>>): Promise<KubernetesObject>;
}

/** What is applied, as whom, and what is known. */
export interface Repair {
  readonly object: KubernetesObject;
  readonly manager: string;
  /** The live object, when it was read already because it has drifted. */
  readonly live?: KubernetesObject | undefined;
}

/**
 * Applies an object. One call; more when somebody has changed what applying cannot undo (see list-repair.ts):
 * an update before, and one after that gives up what the first one owns. Where only the API server's refusal
 * shows it, that costs a read and another apply.
 */
export async function applyAndRepair(
  { object, manager, live }: Repair,
  calls: RepairCalls,
): Promise<KubernetesObject> {
  const patch = live && listRepairPatch(object, live);
  if (!patch) return applyUnlessRefused({ object, manager }, calls);
  await calls.mergePatch(patch);
  return withoutUpdates(await calls.apply(), manager, calls);
}

async function applyUnlessRefused(
  { object, manager }: Repair,
  calls: RepairCalls,
): Promise<KubernetesObject> {
  try {
    return await calls.apply();
  } catch (error) {
    const live = isApiError(error, 'Invalid') ? await calls.read() : undefined;
    const patch = live && listRepairPatch(object, live, { refused: true });
    if (!patch) throw error;
    await calls.mergePatch(patch);
  }
  return withoutUpdates(await calls.apply(), manager, calls);
}

async function withoutUpdates(
  applied: KubernetesObject,
  manager: string,
  calls: RepairCalls,
): Promise<KubernetesObject> {
  const patch = withoutUpdatesPatch(applied, manager);
  return patch ? calls.mergePatch(patch) : applied;
}
