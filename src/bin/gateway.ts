import { hostname } from 'node:os';
import { startGateway } from '../gateway/gateway.program.js';
import { parseGatewayArguments } from '../gateway/server/arguments.js';
import { runGateway } from '../gateway/server/run.process.js';
import { gatewaySettingsHelp } from '../gateway/server/settings.file.js';
import { runMigrations } from '../gateway/storage/postgres.database.js';
import { guardProcess } from '../runtime/guard.process.js';
import { endWithParent } from '../runtime/parent.process.js';
import { refuseInsecureStart } from '../runtime/insecure-environment.js';
import { refuseReplacedVariables } from '../runtime/replaced-variables.js';
import { runMain } from '../runtime/main.process.js';
import { settingsHelp } from '../runtime/setting-text.js';
import { programVersion } from '../runtime/version.file.js';

const HELP = `Usage: gateway --settings PATH [--pod NAME]
       gateway --settings PATH --migrate URI_FILE

The second form brings a PostgreSQL database to the tables of this release, as the role in that file, and ends.
SIGTERM says goodbye to everybody and ends, a second one ends at once. Settings, as JSON in that file:

${settingsHelp(gatewaySettingsHelp).join('\n')}
`;

runMain('gateway', async () => {
  const lostWrites = guardProcess();
  endWithParent();
  const { argv, execArgv, env } = process;
  refuseInsecureStart({ argv: argv.slice(2), execArgv, env });
  refuseReplacedVariables(env);
  const command = parseGatewayArguments(argv.slice(2));
  if (!('settingsPath' in command)) {
    process.stdout.write(command.action === 'Help' ? HELP : `${programVersion()}\n`);
    return;
  }
  const parts = { start: startGateway, migrate: runMigrations, pod: hostname(), lostWrites };
  await runGateway(command, parts);
});
