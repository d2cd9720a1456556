import { ActionableError } from '../../runtime/errors.js';
import { parseProgramArguments } from '../../runtime/program-arguments.js';

/** What a relay can be told on its command line. */
export type RelayArguments =
  | { readonly action: 'Help' | 'Version' }
  | { readonly action: 'Run'; readonly settingsPath: string; readonly pod: string };

/** Four digits are more replicas than a pool can have. */
const ORDINAL = /-(0|[1-9][0-9]{0,3})$/;

/**
 * `--settings PATH --pod NAME`, `--help` or `--version`, from `argv` without node and script.
 * @throws ActionableError ERR_ARGUMENT for anything else
 */
export function parseRelayArguments(argv: readonly string[]): RelayArguments {
  const command = parseProgramArguments(argv, { pod: 'POOL-relay-ORDINAL' });
  if (command.action !== 'Run') return command;
  return { action: 'Run', settingsPath: command.settingsPath, pod: command.named.pod };
}

/**
 * The ordinal of a relay in its pool, from its pod's name: a StatefulSet numbers its pods.
 * @throws ActionableError ERR_ARGUMENT for the name of another workload's pod
 */
export function ordinalOf(pod: string, pool: string): number {
  const ordinal = ORDINAL.exec(pod)?.[1];
  if (ordinal !== undefined && pod === `${pool}-relay-${ordinal}`) return Number(ordinal);
  throw new ActionableError(
    'ERR_ARGUMENT',
    `--pod ${JSON.stringify(pod.slice(0, 64))} is not a pod of the pool ${pool}.`,
    `Write --pod ${pool}-relay-ORDINAL, as the StatefulSet names its pods.`,
  );
}
