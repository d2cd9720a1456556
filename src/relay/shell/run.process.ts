/*
 * One relay as this process: signals from before its start until it ends.
 */
import { startLog } from '../../runtime/main.process.js';
import { stopOnSignal } from '../../runtime/shutdown.process.js';
import { programVersion } from '../../runtime/version.file.js';
import type { RelayArguments } from './arguments.js';
import { readRelaySettings } from './relay.files.js';
import { RelayProgram } from './relay.program.js';

/** What closing may take once the drain is over; the pod's grace is 10 s longer than the drain. */
const CLOSE_WITHIN_MS = 8_000;

/**
 * Runs a relay in this process; gives the exit code when the relay ends by itself. A signal ends the process. `lostWrites`
 * counts lines that nobody took.
 * @throws ActionableError when it cannot start
 */
export async function runRelay(
  { settingsPath, pod }: Extract<RelayArguments, { action: 'Run' }>,
  lostWrites: () => number,
): Promise<number> {
  const settings = await readRelaySettings(settingsPath);
  const started: RelayProgram[] = [];
  // Before the start: the first process of a container would never hear of a signal that came during it.
  stopOnSignal({
    deadlineMs: settings.drain.seconds * 1_000 + CLOSE_WITHIN_MS,
    log: startLog('relay'),
    steps: () => started.flatMap(({ stopSteps }) => stopSteps),
  });
  const output = { version: programVersion(), log: process.stderr, audit: process.stdout };
  const relay = await RelayProgram.start({ settings, settingsPath, pod, lostWrites, ...output });
  started.push(relay);
  process.on('SIGUSR2', relay.drain.bind(relay, 'Command', Infinity));
  return relay.ended;
}
