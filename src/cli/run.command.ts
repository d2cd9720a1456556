/*
 * Carries out what the command line asks for. Each group is loaded when it is wanted, so that a small command does not pay
 * for the operator's rooms.
 */
import { EXIT_CODE } from '../runtime/errors.js';
import type { Command, IdentityCommand } from './commands.js';
import { Report } from './terminal/report.js';
import type { Output } from './terminal.screen.js';
import type { UpPlace } from './up.process.js';

/** Carries it out; gives the exit code. @throws whatever explain.ts explains. */
export async function runCommand(command: Command, place: UpPlace): Promise<number> {
  const { output } = place;
  switch (command.name) {
    case 'help':
      output.write(command.text);
      return EXIT_CODE.ok;
    case 'completion':
      output.write((await import('./completion.js')).completionScript(command.shell));
      return EXIT_CODE.ok;
    case 'up':
      return (await import('./up.process.js')).runUp(command, place);
    case 'demo':
      return (await import('./running-demo.command.js')).runRunningDemo(command, place);
    default:
      return runReported(command, output);
  }
}

type Reported = Exclude<Command, { name: 'help' | 'completion' | 'up' | 'demo' }>;

async function runReported(command: Reported, output: Output): Promise<number> {
  const report = new Report(output, command.output);
  switch (command.name) {
    case 'role import':
      return (await import('./role.command.js')).runRoleImport(command, report);
    case 'doctor':
      return (await import('./doctor/doctor.command.js')).runDoctor(command, report);
    case 'bundle verify':
    case 'bundle load':
    case 'bundle rollback':
      return (await import('./bundle/bundle.command.js')).runBundle(command, report);
    case 'gateways list':
    case 'gateways add':
    case 'gateways remove':
      return (await import('./endpoint/gateways.command.js')).runGateways(command, report);
    default:
      return runEndpoint(command, report);
  }
}

type OfEndpoint = Exclude<
  Reported,
  {
    name:
      | 'role import'
      | 'doctor'
      | `gateways ${'list' | 'add' | 'remove'}`
      | `bundle ${'verify' | 'load' | 'rollback'}`;
  }
>;

async function runEndpoint(command: OfEndpoint, report: Report): Promise<number> {
  switch (command.name) {
    case 'identity create':
    case 'identity restore':
    case 'identity show':
    case 'identity backup':
    case 'identity passphrase':
      return (await import('./endpoint/identity.command.js')).runIdentity(command, report);
    case 'chat':
      return (await import('./endpoint/chat.command.js')).runChat(command, report);
    case 'send':
      return (await import('./endpoint/send.command.js')).runSend(command, report);
    case 'receive':
      return (await import('./endpoint/receive.command.js')).runReceive(command, report);
    case 'call':
      return (await import('./endpoint/call.command.js')).runCall(command, report);
    default:
      return runAccountOrContacts(command, report);
  }
}

async function runAccountOrContacts(
  command: Exclude<
    OfEndpoint,
    {
      name: IdentityCommand['name'] | 'chat' | 'send' | 'receive' | 'call';
    }
  >,
  report: Report,
): Promise<number> {
  switch (command.name) {
    case 'admin':
      return (await import('./endpoint/admin.command.js')).runAdmin(command, report);
    case 'connect':
    case 'verify':
    case 'contacts list':
    case 'contacts accept':
    case 'contacts block':
    case 'contacts remove':
    case 'contacts rename':
    case 'contacts path':
      return (await import('./endpoint/contacts.command.js')).runContacts(command, report);
    default:
      return (await import('./endpoint/account.command.js')).runAccount(command, report);
  }
}
