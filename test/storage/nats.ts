/*
 * A real NATS server on a free loopback port, from the distribution's package. With `secured` it wants TLS and the
 * credentials of one user, as a gateway with `bus.caFile` and `bus.credentialsFile` has them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { debianTree } from '../debian/packages.js';
import { aServerCertificate } from './certificates.js';
import { freePort } from '../free-ports.js';
import { ServerProcess } from './server-process.js';

/** A running NATS server. */
export interface NatsServer {
  readonly port: number;
  /** `nats://127.0.0.1:PORT`, or `tls://localhost:PORT` when it is secured. */
  readonly url: string;
  /** PEM file of the authority of its certificate; secured only. */
  readonly caFile?: string;
  /** Credentials of its only user; secured only. */
  readonly credentialsFile?: string;
  /** The process now; another one after `restart`. */
  pid(): number;
  /** SIGSTOP and SIGCONT: a server that is there and does not answer. */
  pause(): void;
  resume(): void;
  /** Ends the process (SIGKILL) and keeps the port, so that `restart` brings it back at the same address. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/** Starts a NATS server; ready when it accepts connections. */
export async function startNats({ secured = false } = {}): Promise<NatsServer> {
  const { root, env } = debianTree(['nats-server']);
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-nats-'));
  const port = await freePort();
  const configuration = join(folder, 'nats.conf');
  const security = secured ? await securityIn(folder) : undefined;
  await writeFile(
    configuration,
    `listen: "127.0.0.1:${port}"\nmax_payload: 1MB\n${security?.configuration ?? ''}`,
  );
  const run = () =>
    ServerProcess.start(
      { file: join(root, 'usr', 'sbin', 'nats-server'), args: ['-c', configuration], env },
      () => accepts(port),
    );
  let server = await run();
  return {
    port,
    url: secured ? `tls://localhost:${port}` : `nats://127.0.0.1:${port}`,
    ...security?.files,
    pid: () => server.pid,
    pause: () => {
      server.signal('SIGSTOP');
    },
    resume: () => {
      server.signal('SIGCONT');
    },
    kill: () => server.stop('SIGKILL'),
    restart: async () => {
      await server.stop('SIGKILL');
      server = await run();
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Certificate, key and one user. The server checks the user's signature; its token is not looked at. */
async function securityIn(folder: string) {
  const { certificate, key } = await aServerCertificate();
  const user = nkeys.createUser();
  const caFile = join(folder, 'ca.crt');
  const keyFile = join(folder, 'tls.key');
  const credentialsFile = join(folder, 'user.creds');
  const seed = new TextDecoder().decode(user.getSeed());
  await writeFile(caFile, certificate);
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(credentialsFile, credentials('unused', seed), { mode: 0o600 });
  const configuration =
    `tls { cert_file: "${caFile}", key_file: "${keyFile}" }\n` +
    `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }\n`;
  return { configuration, files: { caFile, credentialsFile } };
}

/** The two blocks of a NATS credentials file. */
function credentials(token: string, seed: string): string {
  const block = (name: string, content: string) =>
    `-----BEGIN ${name}-----\n${content}\n------END ${name}------\n`;
  return `${block('NATS USER JWT', token)}\n${block('USER NKEY SEED', seed)}`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
}
