/*
 * A clamd of the distribution that knows one signature: the test file of EICAR, which every scanner finds.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { debianTree } from '../debian/packages.js';
import { until } from './relay-udp-endpoint.js';

/** In two halves, so that no scanner finds it in this file (eicar.org). */
export const EICAR = [
  'X5O!P%@AP[4\\PZX54(P^)7CC)7}$',
  'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*',
].join('');

/** Streams longer than this are not scanned. */
export const MAX_STREAM_BYTES = 8_000_000;

/** A running clamd. */
export class Clamd {
  private constructor(
    readonly socket: string,
    readonly process: ChildProcess,
    readonly folder: string,
  ) {}

  static async start(): Promise<Clamd> {
    const { root, env } = debianTree(['clamav-daemon']);
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-clamd-'));
    const database = join(folder, 'database');
    await mkdir(database);
    const hex = Buffer.from(EICAR, 'latin1').toString('hex');
    await writeFile(join(database, 'eicar.ndb'), `Eicar-Test-Signature:0:*:${hex}\n`);
    const socket = join(folder, 'clamd.sock');
    await writeFile(
      join(folder, 'clamd.conf'),
      [
        `DatabaseDirectory ${database}`,
        `LocalSocket ${socket}`,
        `TemporaryDirectory ${folder}`,
        `User ${userInfo().username}`,
        'Foreground yes',
        'MaxThreads 2',
        'AlertEncryptedArchive yes',
        'AlertExceedsMax yes',
        // A single file above MaxFileSize is passed over in silence; what exceeds MaxScanSize is an alert.
        'MaxFileSize 100M',
        'MaxScanSize 100M',
        `StreamMaxLength ${MAX_STREAM_BYTES}`,
        '',
      ].join('\n'),
    );
    const program = join(root, 'usr/sbin/clamd');
    const child = spawn(program, ['--config-file', join(folder, 'clamd.conf')], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    await until('clamd listens', () => existsSync(socket));
    return new Clamd(socket, child, folder);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    if (this.process.exitCode === null && this.process.kill('SIGKILL')) await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
