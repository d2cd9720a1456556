/*
 * `sallyport up` from beginning to end: the table, the demonstration if it is wanted, and what to do next.
 */
import { resolve } from 'node:path';
import type { Command } from './arguments.js';
import { runDemo, type DemoGateway } from './demo.command.js';
import { explain } from './explain.js';
import { podLines } from './pod-table.js';
import type { Report } from './terminal/report.js';
import type { Up } from './up.command.js';

/** What `up` was asked for. */
export type UpCommand = Extract<Command, { name: 'up' }>;

/** Two new accounts have to get in without anybody's help. */
const NOBODY_GETS_IN = ['account-awaits-approval', 'device-awaits-approval', 'registration-closed'];
const NEEDS_OPEN =
  'This gateway lets nobody in by himself: the demonstration needs "registration: Open" and "deviceApproval: Automatic".';

/** Shows resources until they are ready, runs the demonstration, and says where things are. False: something failed. */
export async function quickstart(up: Up, command: UpCommand, report: Report): Promise<boolean> {
  const { folders } = command;
  const state = resolve(command.state);
  const text = `Starting what ${folders.join(', ')} declares, as processes of this machine.`;
  report.event('starting', { folders, state }, text);
  up.show();
  const ready = await up.ready();
  up.hide();
  if (!ready) {
    const logs = `${state}/pods/*/*/program.log`;
    report.event('not-ready', { logs }, `Not everything became ready. Logs: ${logs}`);
    return false;
  }
  const [gateway] = up.gateways();
  const wanted = command.demo && gateway !== undefined;
  const fine = !wanted || (await demonstrate(gateway, state, report));
  const lines = ['', ...podLines(up.pods()), ''];
  for (const line of lines) report.note(line);
  const kept = `Keys, data and logs are in ${state}; a later start goes on with them.`;
  report.event('ready', { fine, gateways: up.gateways(), processes: up.pods(), state }, kept);
  return fine;
}

/** Runs the demonstration at `gateway` and tells it line by line; false when something was not as promised. */
export async function demonstrate(
  gateway: DemoGateway,
  state: string,
  report: Report,
): Promise<boolean> {
  const { host, port } = gateway;
  const title = `Two people who trust no server talk, through wss://${host}:${port}:`;
  report.note('');
  report.event('demo', { gateway: `wss://${host}:${port}` }, title);
  const say = (line: string): void => {
    report.event('demo', { line }, `  ${line}`);
  };
  try {
    return await runDemo({ gateway, state, say });
  } catch (error) {
    const { problem, hint } = explain(error);
    const { reason = '' } = error as { readonly reason?: string };
    say(`the demonstration failed: ${problem}`);
    if (NOBODY_GETS_IN.includes(reason)) say(NEEDS_OPEN);
    else if (hint !== '') say(hint);
    return false;
  }
}
