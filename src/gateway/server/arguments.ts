import { parseProgramArguments } from '../../runtime/program-arguments.js';

/** What a gateway can be told on its command line. */
export type GatewayArguments =
  | { readonly action: 'Help' | 'Version' }
  | {
      readonly action: 'Run';
      readonly settingsPath: string;
      /** Name of the pod in audit records; absent: the name of the host, which is that of the pod. */
      readonly pod?: string;
    }
  | {
      readonly action: 'Migrate';
      readonly settingsPath: string;
      /** File with the connection URI of the role that owns the schema. */
      readonly uriFile: string;
    };

/**
 * `--settings PATH [--pod NAME]`, `--settings PATH --migrate URI_FILE`, `--help` or `--version`, from `argv` without node
 * and script.
 * @throws ActionableError ERR_ARGUMENT for anything else
 */
export function parseGatewayArguments(argv: readonly string[]): GatewayArguments {
  const has = (flag: string) => argv.some((each) => each === flag || each.startsWith(`${flag}=`));
  if (has('--migrate')) {
    const command = parseProgramArguments(argv, { migrate: 'URI_FILE' });
    if (command.action !== 'Run') return command;
    const { settingsPath, named } = command;
    return { action: 'Migrate', settingsPath, uriFile: named.migrate };
  }
  if (!has('--pod')) return parseProgramArguments(argv);
  const command = parseProgramArguments(argv, { pod: 'NAME' });
  if (command.action !== 'Run') return command;
  return { action: 'Run', settingsPath: command.settingsPath, pod: command.named.pod };
}
