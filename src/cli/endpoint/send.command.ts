/*
 * `send FILE PEER`.
 */
import { basename } from 'node:path';
import { FileTransfers } from '../../client/files/transfers.runner.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import type { TalkCommand } from '../commands.js';
import { ProgressBar } from '../terminal/progress.bar.js';
import { bytesText } from '../terminal/progress.js';
import type { Report } from '../terminal/report.js';
import { withEndpoint } from './endpoint.session.js';
import { Home } from './home.files.js';
import { calledAs, fingerprintMeant } from './peer-name.js';

type SendCommand = Extract<TalkCommand, { name: 'send' }>;

/** Sends one file; resolves when the receiver has verified and kept it. @throws FileTransferError; ContactError. */
export function runSend(command: SendCommand, report: Report): Promise<number> {
  return withEndpoint(command, report, async (session) => {
    const { client, interrupted } = session;
    const fingerprint = fingerprintMeant(client.contacts, command.peer);
    // What a sender never uses; `receive` names the folder for files.
    const transfers = new FileTransfers(client, { folder: new Home(command.home).folder });
    const stop = new AbortController();
    void interrupted.then((exitCode) => {
      stop.abort(Object.assign(new Error('Stopped; sent again, it goes on.'), { exitCode }));
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
