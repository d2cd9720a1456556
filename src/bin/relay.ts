import { parseRelayArguments } from '../relay/shell/arguments.js';
import { guardProcess } from '../runtime/guard.process.js';
import { endWithParent } from '../runtime/parent.process.js';
import { relaySettingsHelp } from '../relay/shell/relay.files.js';
import { runRelay } from '../relay/shell/run.process.js';
import { refuseInsecureStart } from '../runtime/insecure-environment.js';
import { runMain } from '../runtime/main.process.js';
import { settingsHelp } from '../runtime/setting-text.js';
import { programVersion } from '../runtime/version.file.js';

const HELP = `Usage: relay --settings PATH --pod POOL-relay-ORDINAL

SIGTERM drains and ends, a second one ends at once, SIGUSR2 drains too. Settings, as JSON in that file:

${settingsHelp(relaySettingsHelp).join('\n')}
`;

runMain('relay', async () => {
  const lostWrites = guardProcess();
  endWithParent();
  const { argv, execArgv, env } = process;
  refuseInsecureStart({ argv: argv.slice(2), execArgv, env });
  const command = parseRelayArguments(argv.slice(2));
  if (command.action !== 'Run') {
    process.stdout.write(command.action === 'Help' ? HELP : `${programVersion()}\n`);
    return;
  }
  process.exit(await runRelay(command, lostWrites));
});
