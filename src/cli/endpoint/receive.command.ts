/*
 * `receive`: files of contacts, each after a question.
 */
import { resolve } from 'node:path';
import { ClamdScanner } from '../../client/files/clamd.scanner.js';
import type { IncomingName } from '../../client/files/transfer-events.js';
import { FileTransfers } from '../../client/files/transfers.runner.js';
import { ActionableError, EXIT_CODE } from '../../runtime/errors.js';
import type { TalkCommand } from '../commands.js';
import { ProgressBar } from '../terminal/progress.bar.js';
import { bytesText } from '../terminal/progress.js';
import type { Report } from '../terminal/report.js';
import { withEndpoint, type EndpointSession } from './endpoint.session.js';
import { FileQuestions } from './file.question.js';
import { calledAs } from './peer-name.js';

type ReceiveCommand = Extract<TalkCommand, { name: 'receive' }>;

/** A few round trips, with repeats. */
const SENDER_KNOWS_WITHIN_MS = 5_000;

/** Takes files of contacts until Ctrl-C, or until one is there or has failed. */
export async function runReceive(command: ReceiveCommand, report: Report): Promise<number> {
  const scanner = scannerAt(command.scan);
  return withEndpoint(command, report, async (session) => {
    const folder = resolve(command.folder);
    const questions = await FileQuestions.of(command, session);
    const { accept } = questions;
    const transfers = new FileTransfers(session.client, {
      ...{ folder, accept },
      ...(scanner && { scanner }),
    });
    try {
      report.note(`Files of contacts go to ${folder}. End with Ctrl-C.`);
      const first = taken(transfers, questions, session);
      await transfers.resume();
      if (!command.once) {
        await session.interrupted;
        return EXIT_CODE.ok;
      }
      const exitCode = await Promise.race([first, session.interrupted]);
      await senderKnows(session);
      return exitCode;
    } finally {
      transfers.close();
    }
  });
}

/** The sender has to hear that the file is there: it ends the session then. */
async function senderKnows({ client, interrupted }: EndpointSession): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    client.on('session-ended', () => {
      resolve();
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SENDER_KNOWS_WITHIN_MS);
  });
  await Promise.race([ended, late, interrupted]);
  clearTimeout(timer);
}

/** The scanner at a socket's path or HOST:PORT. @throws ActionableError ERR_ARGUMENT for anything else. */
function scannerAt(place: string | undefined): ClamdScanner | undefined {
  if (place === undefined) return undefined;
  if (place.includes('/')) return new ClamdScanner({ path: resolve(place) });
  const [, host = '', port = ''] = /^\[?(.{1,253}?)\]?:(\d{1,5})$/.exec(place) ?? [];
  if (host !== '' && Number(port) >= 1 && Number(port) <= 65_535)
    return new ClamdScanner({ host, port: Number(port) });
  throw new ActionableError(
    'ERR_ARGUMENT',
    '--scan names no place of a clamd.',
    'Write the path of its socket, or HOST:PORT.',
  );
}

/** Says what comes; resolves with the exit code of the first file that ended. */
function taken(
  transfers: FileTransfers,
  questions: FileQuestions,
  { client, report }: EndpointSession,
): Promise<number> {
  const bars = new Map<string, ProgressBar>();
  const done = (id: string): void => {
    bars.get(id)?.close();
    bars.delete(id);
  };
  const from = ({ fingerprint }: IncomingName): string => calledAs(client.contacts, fingerprint);
  return new Promise((resolve) => {
    transfers.on('progress', (file, progress) => {
      const bar = bars.get(file.id) ?? new ProgressBar(report, file.name);
      bars.set(file.id, bar);
      bar.update(progress);
    });
    transfers.on('received', (file, path) => {
      done(file.id);
      const { name, size, fingerprint } = file;
      const text = `${path}: ${bytesText(size)} of ${from(file)}, whole and verified.`;
      report.event('received', { name, size, from: fingerprint, path }, text);
      resolve(EXIT_CODE.ok);
    });
    transfers.on('ended', (file, reason, path) => {
      done(file.id);
      const where = path === undefined ? '' : ` It is kept apart at ${path}.`;
      const text = `${file.name} of ${from(file)} will not come: ${reason}.${where}`;
      report.event('ended', { name: file.name, from: file.fingerprint, reason, path }, text);
      if (!questions.isNotMeant(file.id)) resolve(EXIT_CODE.refused);
    });
    transfers.on('interrupted', (file) => {
      done(file.id);
      const text = `${file.name}: the session is over; it goes on when it is sent again.`;
      report.event('interrupted', { name: file.name, from: file.fingerprint }, text);
    });
  });
}
