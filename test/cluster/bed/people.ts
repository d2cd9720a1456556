/*
 * Two places where a person's command line runs: a pod of the cluster, and the machine outside of it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyObject } from '../../apiserver/bed/admin.js';
import { eventually } from '../../apiserver/bed/eventually.js';
import { CliProcess, PASSPHRASE } from '../../processes/cli-bed.js';
import type { Installation } from './installation.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TSX = join(ROOT, 'node_modules/tsx/dist/esm/index.mjs');

/** What a command line needs to know about a gateway, as its list of gateways has it. */
export interface KnownGateway {
  readonly host: string;
  readonly port: number;
  readonly pins: readonly string[];
  readonly address?: string;
}

/** A person's command line, wherever it runs. */
export interface Person {
  /** Starts a command of this person. */
  run(args: readonly string[], options?: { keepInput?: boolean }): CliProcess;
  /** Ends a command as Ctrl-C does. */
  interrupt(process: CliProcess): void;
  /** Writes a file of mode 0600 in the person's folder; gives its path. */
  put(name: string, content: string): Promise<string>;
  /** What a file of the person's folder holds, in hex of SHA-256. */
  digest(name: string): Promise<string>;
  /** The path of a file in the person's folder. */
  path(name: string): string;
  leave(): Promise<void>;
}

/** Makes an identity and a list of gateways; gives the fingerprint. */
export async function begin(person: Person, gateways: readonly KnownGateway[]): Promise<string> {
  await person.put('passphrase', PASSPHRASE);
  await person.put('gateways.json', JSON.stringify(gateways));
  const made = await person.run(['identity', 'create', '--no-backup', '--words', '12']).ended;
  if (made.code !== 0) throw new Error(made.stderr);
  const shown = await person.run(['identity', 'show', '--output', 'json']).ended;
  if (shown.code !== 0) throw new Error(shown.stderr);
  return (JSON.parse(shown.stdout) as { fingerprint: string }).fingerprint;
}

const of = (person: Person): string[] => [
  ...['--home', person.path('')],
  ...['--passphrase-file', person.path('passphrase')],
];

/** A pod of our image in which nothing runs until somebody is told to. */
export async function personInPod(
  installation: Installation,
  namespace: string,
  name: string,
): Promise<Person> {
  await installation.apply(personPod(name, installation.state.digest), namespace);
  const { cluster } = installation;
  await eventually(
    `pod ${name} runs`,
    async () => {
      const pod = await cluster.admin.get(`/api/v1/namespaces/${namespace}/pods/${name}`);
      return pod?.status?.phase === 'Running';
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
  const exec = (...words: string[]) =>
    cluster.kubectlWords(['exec', '-i', '-n', namespace, name, '--', ...words]);
  const script = (code: string, path = '', input = '') =>
    cluster.node(exec('node', '-e', code, path), { input }).trim();
  const person: Person = {
    path: (file) => `/home/person/own/${file}`,
    run: (args, { keepInput = false } = {}) => {
      const words = exec('node', 'dist/bin/sallyport.js', ...args, ...of(person));
      const child = cluster.spawn(words, 'node');
      if (!keepInput) child.stdin.end();
      return new CliProcess(child);
    },
    interrupt: () => {
      script(INTERRUPT);
    },
    put: (file, content) => {
      script(WRITE, person.path(file), content);
      return Promise.resolve(person.path(file));
    },
    digest: (file) => Promise.resolve(script(DIGEST, person.path(file))),
    leave: async () => {
      await cluster.admin.call('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`);
    },
  };
  return person;
}

const WRITE =
  "const fs = require('node:fs'); const path = process.argv[1]; fs.mkdirSync(require('node:path').dirname(path), { recursive: true, mode: 0o700 }); fs.writeFileSync(path, fs.readFileSync(0), { mode: 0o600 })";
const DIGEST =
  "process.stdout.write(require('node:crypto').createHash('sha256').update(require('node:fs').readFileSync(process.argv[1])).digest('hex'))";
/** Ctrl-C to every command line of this pod; kubectl passes no signal on. */
const INTERRUPT =
  "const fs = require('node:fs'); for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && name !== '1' && name !== String(process.pid))) { try { if (fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('sallyport.js')) process.kill(Number(pid), 'SIGINT') } catch {} }";

/** As strict as the namespace wants it, with a folder of its own. */
const personPod = (name: string, digest: string): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { person: name } },
  spec: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumes: [{ name: 'home', emptyDir: { sizeLimit: '64Mi' } }],
    containers: [
      {
        name: 'person',
        image: `registry.example.com/sallyport:0.1.0@${digest}`,
        imagePullPolicy: 'IfNotPresent',
        command: [
          'node',
          '-e',
          'process.on("SIGTERM", () => process.exit()); setInterval(() => undefined, 1e6)',
        ],
        env: [{ name: 'HOME', value: '/home/person' }],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'home', mountPath: '/home/person' }],
      },
    ],
  },
});

/** The machine outside: the command line of this checkout, with the outside's network and nothing else. */
export async function personOutside(installation: Installation, name: string): Promise<Person> {
  const home = await mkdtemp(`/tmp/sallyport-person-${name}-`);
  const { cluster } = installation;
  const person: Person = {
    path: (file) => join(home, file),
    run: (args, { keepInput = false } = {}) => {
      const program = ['--import', TSX, join(ROOT, 'src/bin/sallyport.ts')];
      const child = cluster.spawnFar([process.execPath, ...program, ...args, ...of(person)]);
      if (!keepInput) child.stdin.end();
      return new CliProcess(child);
    },
    interrupt: (process) => {
      process.interrupt();
    },
    put: async (file, content) => {
      await mkdir(home, { recursive: true, mode: 0o700 });
      await writeFile(join(home, file), content, { mode: 0o600 });
      return join(home, file);
    },
    digest: async (file) => {
      const { createHash } = await import('node:crypto');
      return createHash('sha256')
        .update(await readFile(join(home, file)))
        .digest('hex');
    },
    leave: () => rm(home, { recursive: true, force: true }),
  };
  return person;
}
