/*
 * `send FILE PEER` and `receive`.
 */
import { basename, resolve } from 'node:path';
import { FileTransfers } from '../../client/files/transfers.runner.js';
import type { IncomingName } from '../../client/files/transfer-events.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import type { TalkCommand } from '../commands.js';
import { ProgressBar } from '../terminal/progress.bar.js';
import { bytesText } from '../terminal/progress.js';
import type { Report } from '../terminal/report.js';
import { withEndpoint, type EndpointSession } from './endpoint.session.js';
import { Home } from './home.files.js';
import { calledAs, fingerprintMeant } from './peer-name.js';

type SendCommand = Extract<TalkCommand, { name: 'send' }>;
type ReceiveCommand = Extract<TalkCommand, { name: 'receive' }>;

/** A few round trips, with repeats. */
const SENDER_KNOWS_WITHIN_MS = 5_000;

/** Sends one file; resolves when the receiver has verified and kept it. @throws FileTransferError; ContactError. */
export function runSend(command: SendCommand, report: Report): Promise<number> {
  return withEndpoint(command, report, async (session) => {
    const { client, interrupted } = session;
    const fingerprint = fingerprintMeant(client.contacts, command.peer);
    // What a sender never uses; `receive` names the folder for files.
    const transfers = new FileTransfers(client, { folder: new Home(command.home).folder });
    const stop = new AbortController();
    void interrupted.then(() => {
      stop.abort(Object.assign(new Error('Stopped; sent again, it goes on.'), { exitCode: 130 }));
    });
    const bar = new ProgressBar(report, basename(command.file));
    const to = calledAs(client.contacts, fingerprint);
    report.note(`Offered to ${to}, who has to run "sallyport receive". Ctrl-C gives up.`);
    try {
      const { name, size } = await transfers.send(fingerprint, command.file, {
        signal: stop.signal,
        progress: (progress) => {
          bar.update(progress);
        },
      });
      bar.close();
      report.result({ sent: name, bytes: size, to: fingerprint }, [
        `${to} has ${name}, ${bytesText(size)}, whole and verified.`,
      ]);
      return EXIT_CODE.ok;
    } finally {
      bar.close();
      transfers.close();
    }
  });
}

/** Takes files of contacts until Ctrl-C, or until one is there or has failed. */
export function runReceive(command: ReceiveCommand, report: Report): Promise<number> {
  return withEndpoint(command, report, async (session) => {
    const folder = resolve(command.folder);
    const transfers = new FileTransfers(session.client, { folder });
    try {
      report.note(`Files of contacts go to ${folder}. End with Ctrl-C.`);
      const first = taken(transfers, session);
      await transfers.resume();
      if (!command.once) {
        await session.interrupted;
        return EXIT_CODE.ok;
      }
      const exitCode = await Promise.race([first, session.interrupted]);
      await senderKnows(session);
      return exitCode ?? EXIT_CODE.ok;
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

/** Says what comes; resolves with the exit code of the first file that ended. */
function taken(transfers: FileTransfers, { client, report }: EndpointSession): Promise<number> {
  const bars = new Map<string, ProgressBar>();
  const done = (id: string): void => {
    bars.get(id)?.close();
    bars.delete(id);
  };
  const from = ({ fingerprint }: IncomingName): string => calledAs(client.contacts, fingerprint);
  return new Promise((resolve) => {
    transfers.on('offer', (offer) => {
      const { name, size, fingerprint } = offer;
      const text = `${from(offer)} sends ${name}, ${bytesText(size)}.`;
      report.event('offer', { name, size, from: fingerprint }, text);
      offer.accept();
    });
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
      resolve(EXIT_CODE.refused);
    });
    transfers.on('interrupted', (file) => {
      done(file.id);
      const text = `${file.name}: the session is over; it goes on when it is sent again.`;
      report.event('interrupted', { name: file.name, from: file.fingerprint }, text);
    });
  });
}
