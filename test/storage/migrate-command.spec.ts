import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aReplicatedGateway } from '../builders.js';
import { debianTree } from '../debian/packages.js';
import { at, list } from '../hardening/pods.js';
import { fileOf, observedGateway, templateOf } from '../unit/rooms/observed-gateway.js';
import { PostgresServer, type TestDatabase } from './postgres.js';

/** Where pods have the files that the operator mounts. */
const MOUNTED = '/etc/sallyport';

const gateway = observedGateway(
  aReplicatedGateway({
    storage: {
      type: 'PostgreSQL',
      postgresql: {
        runtimeSecretRef: { name: 'runtime' },
        migrationSecretRef: { name: 'owner' },
        peers: [{ cidr: '10.1.0.0/16', ports: [{ port: 5432 }] }],
      },
    },
  }),
);

let folder: string;
let server: PostgresServer;
let database: TestDatabase;

/** The command line of the init container, with its files below `folder`. */
function commandLine(): readonly string[] {
  const [init] = list(at(templateOf(gateway), 'spec', 'initContainers'));
  const [node, program, ...rest] = [init?.['command'], init?.['args']].flat().map(String);
  expect([node, program]).toEqual(['node', 'dist/bin/gateway.js']);
  return rest.map((word) => word.replace(MOUNTED, folder));
}

/** Runs the init container's program; gives its exit code and log. */
function migrate() {
  const program = ['--import', 'tsx', 'src/bin/gateway.ts', ...commandLine()];
  const { status, stderr } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    timeout: 120_000,
  });
  return { status, stderr };
}

/** What psql prints, as the runtime role. */
function psql(command: string): string {
  const { root, env } = debianTree(['postgresql-15']);
  const uri = database.uri(database.runtime);
  const program = join(root, 'usr/lib/postgresql/15/bin/psql');
  return execFileSync(program, ['-X', '-A', '-t', uri, '-c', command], {
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-migrate-'));
  server = await PostgresServer.start();
  database = await server.createDatabase();
  const settings = fileOf(gateway, '-gateway-settings', 'settings.json') as {
    readonly storage: { readonly uriFile: string };
  };
  const text = JSON.stringify(settings).replaceAll(MOUNTED, folder);
  await mkdir(join(folder, 'settings'));
  await writeFile(join(folder, 'settings', 'settings.json'), text);
  const runtime = settings.storage.uriFile.replace(MOUNTED, folder);
  const owner = commandLine().at(-1)!;
  for (const [from, to] of [
    [database.settings.storage.uriFile, runtime],
    [database.migrationUriFile, owner],
  ] as const) {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
  }
});
afterAll(async () => {
  await (server as PostgresServer | undefined)?.stop(); // Undefined when it never started.
  await rm(folder, { recursive: true });
});

describe('the init container of a gateway with two roles', () => {
  it('makes the tables as the one role, and a second time finds nothing to do', () => {
    const first = migrate();
    expect(first).toMatchObject({ status: 0 });
    expect(first.stderr).toContain('"runtimeRoleOwnsSchema":false');
    const second = migrate();
    expect(second).toMatchObject({ status: 0 });
    expect(second.stderr).toContain('"ran":[]');
  });

  it('S173: leaves the other role without attributes in \\du, and the owner of nothing', () => {
    const roles = psql(`\\du ${database.runtime}`);
    expect(roles).toContain(database.runtime);
    expect(roles).not.toMatch(/Superuser|Create role|Create DB|Bypass RLS|Replication/);
    const owners = psql('\\dt sallyport.*').trim().split('\n');
    expect(owners.length).toBeGreaterThan(10);
    for (const row of owners) expect(row.endsWith(`|${database.owner}`)).toBe(true);
    expect(psql('select count(*) from sallyport.account').trim()).toBe('0');
    const create = 'create table sallyport.more (content text)';
    expect(() => psql(create)).toThrow('permission denied');
  });

  it('ends with an error and without the password of a role that may not log in', async () => {
    await database.admin(`alter role ${database.owner} nologin`);
    const { status, stderr } = migrate();
    expect(status).not.toBe(0);
    const password = new URL(database.uri(database.owner)).password;
    expect(stderr).not.toContain(password);
    await database.admin(`alter role ${database.owner} login`);
  });
});
