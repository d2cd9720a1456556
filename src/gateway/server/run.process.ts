/*
 * One gateway as this process: signals from before its start until it ends.
 */
import type { Clock } from '../../runtime/clock.js';
import { startLog } from '../../runtime/main.process.js';
import { stopOnSignal } from '../../runtime/shutdown.process.js';
import { systemClock } from '../../runtime/system.clock.js';
import { programVersion } from '../../runtime/version.file.js';
import type { GatewaySettings } from '../settings.js';
import type { GatewayArguments } from './arguments.js';
import type { GatewayOptions, GatewayProgram } from './server.program.js';
import { readGatewaySettings } from './settings.file.js';

/** Farewells take up to 5 s; what follows closes the database and the bus. */
const STOP_WITHIN_MS = 10_000;

/** What a process gives to its gateway. */
export interface ProcessParts {
  readonly start: (options: GatewayOptions) => Promise<GatewayProgram>;
  readonly migrate: (
    settings: GatewaySettings,
    uriFile: string,
    options: { readonly clock: Clock },
  ) => Promise<{ readonly ran: readonly string[]; readonly runtimeRoleOwnsSchema: boolean }>;
  /** Name of the pod, unless the command line names it. */
  readonly pod: string;
  readonly lostWrites: () => number;
}

type Command = Extract<GatewayArguments, { action: 'Run' | 'Migrate' }>;

/**
 * Runs a gateway in this process until a signal ends it, or migrates its database.
 * @throws ActionableError when it cannot
 */
export async function runGateway(command: Command, parts: ProcessParts): Promise<void> {
  const { settingsPath } = command;
  const settings = await readGatewaySettings(settingsPath);
  if (command.action === 'Migrate') {
    const migrated = await parts.migrate(settings, command.uriFile, { clock: systemClock });
    startLog('gateway').info('migrated', { ...migrated });
    return;
  }
  const started: GatewayProgram[] = [];
  // Before the start: the first process of a container would never hear of a signal that came during it.
  stopOnSignal({
    deadlineMs: STOP_WITHIN_MS,
    log: startLog('gateway'),
    steps: () => started.flatMap(({ stopSteps }) => stopSteps),
  });
  const output = { version: programVersion(), log: process.stderr, audit: process.stdout };
  const { start, pod, lostWrites } = parts;
  const options = { settings, settingsPath, pod: command.pod ?? pod, lostWrites, ...output };
  started.push(await start(options));
}
