/*
 * `connect`: logs in; becomes a contact of somebody, or opens a session with one.
 */
import type { ContactSession } from '../../client/contacts/contact.session.js';
import { ContactError } from '../../client/contacts/contact-error.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { ContactCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { counted, countsText, minute, pairs } from '../terminal/table.js';
import { isAbsence, withEndpoint, type EndpointSession } from './endpoint.session.js';
import { calledAs, fingerprintMeant } from './peer-name.js';
import { readSecret } from './secret.source.js';

type ConnectCommand = Extract<ContactCommand, { name: 'connect' }>;

/** Both people ask now and then until the other one is there. */
const ASK_EVERY_MS = 3_000;
const SESSION_WITHIN_MS = 15_000;
const LINGER_MS = 2_000;

/** Carries it out; gives the exit code. */
export async function connectPeer(command: ConnectCommand, report: Report): Promise<number> {
  const inviteCode = await inviteOf(command);
  return withEndpoint({ ...command, inviteCode }, report, async (session) => {
    told(session);
    if (command.stay) follow(session);
    const exitCode =
      command.peer === undefined ? EXIT_CODE.ok : await toPeer(command, command.peer, session);
    if (command.stay && exitCode === EXIT_CODE.ok) await session.interrupted;
    return exitCode;
  });
}

async function inviteOf({ invite }: ConnectCommand): Promise<string | undefined> {
  if (invite === undefined) return undefined;
  const bytes = await readSecret(invite, 'Invite code: ');
  return new TextDecoder().decode(bytes).trim().toLowerCase();
}

function told({ client, welcome, report }: EndpointSession): void {
  const { gateway, roles, administrator, endsAt } = welcome;
  const value = { gateway, account: client.fingerprint, roles, administrator };
  const ends = { sessionEndsAt: new Date(endsAt).toISOString() };
  const lines = pairs([
    ['gateway', gateway],
    ['account', client.fingerprint],
    ['roles', [...roles, ...(administrator ? ['(administrator)'] : [])].join(', ') || '-'],
    ['session ends', minute(endsAt)],
  ]);
  report.event('connected', { ...value, ...ends }, lines.join('\n'));
}

/** Says what happens while the command stays. */
function follow({ client, report }: EndpointSession): void {
  const of = (fingerprint: string): string => calledAs(client.contacts, fingerprint);
  client.on('away', (gateway, why) => {
    report.event('away', { gateway, why }, `${gateway} is away: ${why}; trying again.`);
  });
  client.on('contact-asks', (fingerprint) => {
    const text = `${fingerprint} asks to become a contact. After this: sallyport contacts accept ${fingerprint}`;
    report.event('contact-asks', { fingerprint }, text);
  });
  client.on('contact-accepted', (fingerprint) => {
    report.event('contact-accepted', { fingerprint }, `${of(fingerprint)} is a contact now.`);
  });
  const sessions = new Map<string, ContactSession>();
  client.on('session', (fingerprint, session) => {
    sessions.set(fingerprint, session);
    report.event('session', { fingerprint }, `A session with ${of(fingerprint)} began.`);
  });
  client.on('session-ended', (fingerprint, end) => {
    const refused = sessions.get(fingerprint)?.refused ?? new Map<string, number>();
    const text = `${of(fingerprint)}: session over, ${end}; datagrams refused: ${countsText(refused)}.`;
    const value = { fingerprint, end, refusedDatagrams: counted(refused) };
    report.event('session-ended', value, text);
  });
}

async function toPeer(
  { peer, as, waitSeconds }: ConnectCommand,
  text: string,
  { client, report, interrupted }: EndpointSession,
): Promise<number> {
  const fingerprint = fingerprintMeant(client.contacts, peer ?? text);
  const accepted = new Promise<'accepted'>((resolve) => {
    client.on('contact-accepted', (who) => {
      if (who === fingerprint) resolve('accepted');
    });
  });
  const stateNow = () => client.contacts.find((one) => one.fingerprint === fingerprint)?.state;
  const isNew = stateNow() !== 'accepted';
  const untilMs = systemClock.monotonicMs() + waitSeconds * 1_000;
  const stop = new AbortController();
  void interrupted.then(() => {
    stop.abort();
  });
  // Who asks for somebody who has asked has said yes.
  if (stateNow() === 'asking') await client.accept(fingerprint);
  while (stateNow() !== 'accepted' && systemClock.monotonicMs() < untilMs && !stop.signal.aborted) {
    await client.ask(fingerprint).catch(ifAbsent);
    await Promise.race([accepted, interrupted, pause(ASK_EVERY_MS)]);
  }
  if (as !== undefined && stateNow() !== undefined) await client.rename(fingerprint, as);
  if (stateNow() === 'accepted')
    return sessionWith(fingerprint, { isNew, client, report, interrupted });
  if (stop.signal.aborted) return interrupted;
  throw new ContactError('ERR_CONTACT_ABSENT', 'The other person has not answered yet.');
}

/** For a contact that is new it is enough that both have said yes: the other program may have ended after that. */
async function sessionWith(
  fingerprint: string,
  {
    isNew,
    client,
    report,
    interrupted,
  }: Pick<EndpointSession, 'client' | 'report' | 'interrupted'> & { readonly isNew: boolean },
): Promise<number> {
  const late = pause(SESSION_WITHIN_MS).then(() => {
    throw new ContactError('ERR_CONTACT_NO_SESSION', 'No session came about in time.');
  });
  const session = await Promise.race([client.session(fingerprint), late]).catch(
    (error: unknown) => {
      if (!isNew || !(error instanceof ContactError)) throw error;
      return undefined;
    },
  );
  const name = calledAs(client.contacts, fingerprint);
  const contact = client.contacts.find((one) => one.fingerprint === fingerprint);
  const verified = contact?.verified ?? false;
  const hint = verified ? '' : ` Not verified yet: sallyport verify ${name}.`;
  const text =
    session === undefined
      ? `${name} is a contact now, and not there any more.${hint}`
      : `Connected to ${name} through the relay ${session.relayId}.${hint}`;
  report.event('session', { fingerprint, relay: session?.relayId ?? null, verified }, text);
  // The other program is told that there is a session before this one ends.
  if (session !== undefined) await Promise.race([pause(LINGER_MS), interrupted]);
  return EXIT_CODE.ok;
}

function ifAbsent(error: unknown): void {
  if (!isAbsence(error)) throw error;
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    // What is waited for beside it keeps the program alive; the rest of the time must not.
    setTimeout(resolve, ms).unref();
  });
