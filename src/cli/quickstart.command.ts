/*
 * `sallyport up` from beginning to end: the table, the demonstration if it is wanted, and what to do next.
 */
import { resolve } from 'node:path';
import { messageOf } from '../runtime/errors.js';
import type { Command } from './arguments.js';
import { runDemo } from './demo.command.js';
import { podLines } from './pod-table.js';
import type { Output } from './terminal.screen.js';
import type { Up } from './up.command.js';

/** What `up` was asked for. */
export type UpCommand = Extract<Command, { name: 'up' }>;

/** Shows resources until they are ready, runs the demonstration, and says where things are. False: something failed. */
export async function quickstart(up: Up, command: UpCommand, output: Output): Promise<boolean> {
  const say = (line: string): void => {
    output.write(`${line}\n`);
  };
  say(`Starting what ${command.folders.join(', ')} declares, as processes of this machine.`);
  up.show();
  const ready = await up.ready();
  up.hide();
  if (!ready) {
    say(`Not everything became ready. Logs: ${resolve(command.state)}/pods/*/*/program.log`);
    return false;
  }
  const fine = !command.demo || (await demonstrate(up, command, say));
  for (const line of ['', ...podLines(up.pods())]) say(line);
  say('');
  say(`Keys, data and logs are in ${resolve(command.state)}; a later start goes on with them.`);
  return fine;
}

async function demonstrate(
  up: Up,
  { state }: UpCommand,
  say: (line: string) => void,
): Promise<boolean> {
  const [gateway] = up.gateways();
  if (gateway === undefined) return true;
  say('');
  say(`Two people who trust no server talk, through wss://${gateway.host}:${gateway.port}:`);
  try {
    return await runDemo({
      ...{ gateway, state: resolve(state) },
      say: (line) => {
        say(`  ${line}`);
      },
    });
  } catch (error) {
    say(`  the demonstration failed: ${messageOf(error)}`);
    return false;
  }
}
