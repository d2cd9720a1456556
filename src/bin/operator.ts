import { parseProgramArguments } from '../runtime/program-arguments.js';
import { clientConfigFrom } from '../kubernetes/kubeconfig.client.js';
import { startOperator } from '../operator/operator.program.js';
import { operatorSettingsHelp, readOperatorSettings } from '../operator/settings.js';
import { runMain } from '../runtime/main.process.js';
import { settingsHelp } from '../runtime/setting-text.js';
import { readJsonFile } from '../runtime/settings.file.js';
import { stopOnSignal } from '../runtime/shutdown.process.js';
import { programVersion } from '../runtime/version.file.js';

const HELP = `Usage: operator --settings PATH

Reaches the API server that KUBECONFIG names, or that of the pod it runs in. Settings, as JSON in that file:

${settingsHelp(operatorSettingsHelp).join('\n')}
`;

runMain('operator', async () => {
  const command = parseProgramArguments(process.argv.slice(2));
  if (command.action !== 'Run') {
    process.stdout.write(command.action === 'Help' ? HELP : `${programVersion()}\n`);
    return;
  }
  const settings = readOperatorSettings(
    await readJsonFile(command.settingsPath),
    command.settingsPath,
  );
  const { log, stopSteps } = await startOperator({
    settings,
    cluster: await clientConfigFrom(process.env),
    version: programVersion(),
    log: process.stderr,
    audit: process.stdout,
  });
  const deadlineMs = settings.shutdownDeadlineSeconds * 1000;
  stopOnSignal({ deadlineMs, log, steps: () => stopSteps });
});
