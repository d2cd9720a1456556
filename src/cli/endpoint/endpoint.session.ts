/*
 * An endpoint that is logged in for as long as one command takes.
 */
import { Client } from '../../client/contacts/client.runner.js';
import { GatewayError } from '../../client/gateway/gateway-error.js';
import type { IdentityFile } from '../../client/identity/identity.file.js';
import type { Welcome } from '../../messages/signaling.js';
import type { EndpointFlags } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { gatewayEntry } from './gateway-list.js';
import { Home } from './home.files.js';
import { openIdentity } from './identity.command.js';
import { askSecondFactor } from './second-factor.dialogue.js';

/** 128 and the number of the signal: SIGINT, SIGTERM. */
export type StopCode = 130 | 143;

/** What a command gets. */
export interface EndpointSession {
  readonly client: Client;
  readonly identity: IdentityFile;
  readonly welcome: Welcome;
  readonly report: Report;
  /** Resolves at Ctrl-C or SIGTERM, once, with the exit code of who is stopped by it before anything came of it. */
  readonly interrupted: Promise<StopCode>;
}

/** Logs in, carries out `use`, and closes everything. @throws as Client.open and Client.connect. */
export async function withEndpoint<Result>(
  flags: EndpointFlags & { readonly inviteCode?: string | undefined },
  report: Report,
  use: (session: EndpointSession) => Promise<Result>,
): Promise<Result> {
  const gateways = (await new Home(flags.home).requireGateways()).map(gatewayEntry);
  const identity = await openIdentity(flags);
  const signals = new Signals();
  try {
    const { inviteCode: invite } = flags;
    const client = await Client.open({
      ...{ identity, gateways, secondFactor: askSecondFactor },
      ...(invite !== undefined && { invite }),
    });
    try {
      const waits = awaitsApproval(client, gateways.length);
      const welcome = await Promise.race([client.connect(), waits, signals.asError()]);
      warnOf(client, welcome, report);
      const { interrupted } = signals;
      const used = use({ client, identity, welcome, report, interrupted });
      return await Promise.race([used, stopped(client), signals.asErrorLater()]);
    } finally {
      await client.close();
    }
  } finally {
    signals.close();
    identity.close();
  }
}

/** A person has to act first, which takes longer than a command may: the client itself would go on trying. */
const WAITS_FOR_SOMEBODY: readonly string[] = ['account-awaits-approval', 'device-awaits-approval'];

/** Rejects when every gateway of the list was tried and the last one says that an administrator has to act first. */
export const awaitsApproval = (client: Client, gateways: number): Promise<never> =>
  new Promise((_, reject) => {
    const tried = new Set<string>();
    client.on('away', (gateway, reason) => {
      tried.add(gateway);
      if (client.welcome !== undefined || tried.size < gateways) return;
      if (!WAITS_FOR_SOMEBODY.includes(reason)) return;
      const text = `The login ended: ${reason}.`;
      reject(new GatewayError('ERR_GATEWAY_LOGIN', text, { reason }));
    });
  });

/** Rejects when the gateway has ended the connection for good, as when this device connects elsewhere. */
const stopped = (client: Client): Promise<never> =>
  new Promise((_, reject) => {
    client.on('stopped', (reason) => {
      const text = `The gateway ended the connection: ${reason}.`;
      reject(new GatewayError('ERR_GATEWAY_LOGIN', text, { reason }));
    });
  });

/** Whether an error says that somebody is not there now. */
export function isAbsence(error: unknown): boolean {
  const { code, reason } = error as { readonly code?: string; readonly reason?: string };
  return code === 'ERR_CONTACT_ABSENT' || ['peer-absent', 'not-found'].includes(reason ?? '');
}

function warnOf(client: Client, welcome: Welcome, report: Report): void {
  if (client.isIdentityOlder)
    report.note(
      'WARNING: the identity file is older than what it is used with. Was a backup put back? Devices that were revoked since are missing in it.',
    );
  if (welcome.enrolSecondFactor)
    report.note('This gateway asks for a second factor first: sallyport factors add.');
  client.on('key-changed', (fingerprint, what) => {
    const text = `WARNING: ${fingerprint} has other keys (${what}). Compare safety numbers again: sallyport verify.`;
    report.event('key-changed', { fingerprint, what }, text);
  });
}

/** A command that waits for something else has not heard of Ctrl-C by then. */
const END_WITHIN_MS = 1_000;

/** The first Ctrl-C ends a command in order; the second ends the process at once. */
class Signals {
  readonly interrupted: Promise<StopCode>;
  #end: (signal: NodeJS.Signals) => void = () => undefined;

  constructor() {
    this.interrupted = new Promise((resolve) => {
      this.#end = (signal) => {
        resolve(signal === 'SIGTERM' ? 143 : 130);
      };
    });
    process.once('SIGINT', this.#end);
    process.once('SIGTERM', this.#end);
  }

  /** As `interrupted`, for what is to be given up. */
  async asError(): Promise<never> {
    const exitCode = await this.interrupted;
    throw Object.assign(new Error('Stopped.'), { exitCode });
  }

  /** As `asError`, after the time that a command has to end in order. */
  async asErrorLater(): Promise<never> {
    await this.interrupted;
    await new Promise((resolve) => setTimeout(resolve, END_WITHIN_MS).unref());
    return this.asError();
  }

  close(): void {
    process.removeListener('SIGINT', this.#end);
    process.removeListener('SIGTERM', this.#end);
  }
}
