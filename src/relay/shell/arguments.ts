import { parseArgs } from 'node:util';
import { ActionableError, messageOf } from '../../runtime/errors.js';

/** What a relay can be told on its command line. */
export type RelayArguments =
  | { readonly action: 'Help' | 'Version' }
  | { readonly action: 'Run'; readonly settingsPath: string; readonly pod: string };

const HINT = 'Write --settings PATH --pod POOL-relay-ORDINAL, or --help for the list of settings.';

/** Four digits are more replicas than a pool can have. */
const ORDINAL = /-(0|[1-9][0-9]{0,3})$/;

/**
 * `--settings PATH --pod NAME`, `--help` or `--version`, from `argv` without node and script.
 * @throws ActionableError ERR_ARGUMENT for anything else
 */
export function parseRelayArguments(argv: readonly string[]): RelayArguments {
  const { help, version, settings = '', pod = '' } = optionsOf([...argv]);
  if (help) return { action: 'Help' };
  if (version) return { action: 'Version' };
  if (settings === '')
    throw new ActionableError('ERR_ARGUMENT', 'No settings file is named.', HINT);
  if (pod === '') throw new ActionableError('ERR_ARGUMENT', 'No pod is named.', HINT);
  return { action: 'Run', settingsPath: settings, pod };
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

function optionsOf(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        settings: { type: 'string' },
        pod: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw new ActionableError('ERR_ARGUMENT', `${messageOf(cause)}.`, HINT, { cause });
  }
}
