import { parseCommandLine } from '../cli/arguments.js';
import { errorText } from '../cli/explain.js';
import { runCommand } from '../cli/run.command.js';
import { refuseInsecureStart } from '../runtime/insecure-environment.js';
import { programVersion } from '../runtime/version.file.js';

const { argv, execArgv, env, stdout, stderr } = process;
const words = argv.slice(2);

function fail(error: unknown): never {
  // Who reads has enough, as in `sallyport ... | head`.
  if ((error as { readonly code?: string }).code === 'EPIPE') process.exit(0);
  const { text, exitCode } = errorText(error, words);
  stderr.write(text);
  process.exit(exitCode);
}

async function main(): Promise<void> {
  refuseInsecureStart({ argv: words, execArgv, env });
  const version = programVersion();
  const command = parseCommandLine(words, version);
  const place = { version, output: stdout, programs: import.meta.dirname };
  process.exitCode = await runCommand(command, place);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
main().catch(fail);
