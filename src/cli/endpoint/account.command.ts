/*
 * `status`, `devices`, `sessions`, `factors` and `export`: the own account.
 */
import type { AnswerBody } from '../../messages/requests.js';
import { writePrivateFile } from '../../client/identity/private.file.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import { ActionableError, EXIT_CODE } from '../../runtime/errors.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { AccountCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { columns, day, minute, pairs } from '../terminal/table.js';
import { contactLines, contactValue } from './contacts.command.js';
import { withEndpoint, type EndpointSession } from './endpoint.session.js';
import { addGenerator, renewCodes } from './factors.dialogue.js';
import { requestProven } from './second-factor.dialogue.js';

/** Carries it out; gives the exit code. */
export function runAccount(command: AccountCommand, report: Report): Promise<number> {
  return withEndpoint(command, report, async (session) => {
    await RUN[command.name](session, command);
    return EXIT_CODE.ok;
  });
}

type Run = (session: EndpointSession, command: AccountCommand) => Promise<void>;

const RUN: Readonly<Record<AccountCommand['name'], Run>> = {
  status: (session) => {
    status(session);
    return Promise.resolve();
  },
  'devices list': async ({ client, identity, report }) => {
    const { devices } = await client.request('device.list', {});
    const own = toBase64url(identity.identity.binding.deviceId);
    report.result(
      devices.map((each) => ({ ...each, thisDevice: each.device === own })),
      deviceLines(devices, own),
    );
  },
  'devices revoke': revokeDevice,
  'sessions list': async ({ client, report }) => {
    const { sessions } = await client.request('session.list', {});
    report.result(sessions, sessionLines(sessions));
  },
  'sessions end': async ({ client, report }, command) => {
    const session = command.name === 'sessions end' ? command.session : undefined;
    await client.request('session.end', session === undefined ? {} : { session });
    report.result({ ended: session ?? 'this' }, ['The session is over.']);
  },
  'factors list': async ({ client, report }) => {
    const { factors } = await client.request('factor.list', {});
    report.result(
      factors,
      columns(
        ['KIND', 'LABEL', 'SINCE', 'FACTOR'],
        factors.map(({ kind, label, enrolledOn, factor }) => [
          kind,
          label,
          day(enrolledOn),
          factor,
        ]),
      ),
    );
  },
  'factors add': addGenerator,
  'factors codes': renewCodes,
  'factors remove': async ({ client, report }, command) => {
    const factor = command.name === 'factors remove' ? command.factor : '';
    await requestProven(client, 'factor.remove', { factor });
    report.result({ removed: factor }, ['The second factor is removed.']);
  },
  export: exportAccount,
};

function status({ client, identity, welcome, report }: EndpointSession): void {
  const { gateway, account, roles, administrator, endsAt, enrolSecondFactor } = welcome;
  const { needsBackup } = identity.identity;
  const { name: cryptography } = identity.context.backend;
  const facts = { gateway, account, roles, administrator, enrolSecondFactor, needsBackup };
  const value = {
    ...{ ...facts, cryptography, sessionEndsAt: new Date(endsAt).toISOString() },
    contacts: client.contacts.map(contactValue),
  };
  report.result(value, [
    ...pairs([
      ['gateway', gateway],
      ['account', account],
      ['roles', roles.join(', ') || '-'],
      ['administrator', administrator ? 'yes' : 'no'],
      ['session ends', minute(endsAt)],
      ['cryptography', cryptography],
      ['phrase', needsBackup ? 'NOT backed up: sallyport identity backup' : 'backed up'],
    ]),
    '',
    ...contactLines(client.contacts),
  ]);
}

async function revokeDevice(
  { client, identity, report }: EndpointSession,
  command: AccountCommand,
): Promise<void> {
  const device = command.name === 'devices revoke' ? command.device : '';
  const id = fromBase64urlText(device);
  if (id?.length !== 16)
    throw new ActionableError(
      'ERR_ARGUMENT',
      'This is no device.',
      'See "sallyport devices list".',
    );
  const revocation = identity.identity.revoke(id, systemClock.now().getTime());
  // Kept first: also when the gateway does not answer, peers hear of it from this device.
  await identity.save();
  await requestProven(client, 'device.revoke', { revocation: toBase64url(revocation) });
  report.result({ revoked: device }, ['The device is revoked for ever, here and with contacts.']);
}

async function exportAccount(
  { client, identity, report }: EndpointSession,
  command: AccountCommand,
): Promise<void> {
  const { account } = await requestProven(client, 'account.export', {});
  const { fingerprint, binding } = identity.identity;
  const endpoint = {
    fingerprint,
    device: toBase64url(binding.deviceId),
    contacts: client.contacts.map(contactValue),
  };
  const value = { exportedAt: systemClock.now().toISOString(), gateway: account, endpoint };
  const text = JSON.stringify(value, null, 2);
  const to = command.name === 'export' ? command.to : undefined;
  if (to === undefined) {
    report.result(value, text.split('\n'));
    return;
  }
  await writePrivateFile(to, new TextEncoder().encode(`${text}\n`), 'new');
  report.result({ writtenTo: to }, [`Written to ${to}, for you alone.`]);
}

/** Devices as a table; `own` is marked. */
export const deviceLines = (
  devices: AnswerBody<'device.list'>['devices'],
  own = '',
): readonly string[] =>
  columns(
    ['DEVICE', 'STATE', 'SINCE', 'UNTIL', ''],
    devices.map(({ device, state, enrolledOn, notAfter }) => [
      ...[device, state, day(enrolledOn), day(notAfter)],
      device === own ? 'this device' : '',
    ]),
  );

/** Login sessions as a table. */
export const sessionLines = (sessions: AnswerBody<'session.list'>['sessions']): readonly string[] =>
  columns(
    ['SESSION', 'DEVICE', 'BEGAN', 'ENDS', ''],
    sessions.map(({ session, device, beganAt, endsAt, current }) => [
      ...[session, device, minute(beganAt), minute(endsAt)],
      current ? 'this session' : '',
    ]),
  );
