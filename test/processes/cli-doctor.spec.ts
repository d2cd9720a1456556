/*
 * `sallyport doctor` against a gateway of ours and against servers that are wrong in one way each.
 */
import { createServer as createHttpServer } from 'node:http';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import { CliProcess } from './cli-bed.js';
import { GatewayFolder, GatewayProcess, HOST } from './gateway-process.js';
import { RelayFolder, RelayProcess, TestAuthority } from './relay-shell-bed.js';

const HOUR_MS = 3_600_000;
const authority = new TestAuthority('edge');
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

interface Finding {
  readonly check: string;
  readonly outcome: string;
  readonly detail: string;
  readonly hint?: string;
}

/** What the doctor finds, by check, and its exit code. */
async function examine(port: number, pin: string, more: readonly string[] = []) {
  const args = ['doctor', `wss://${HOST}:${port}`, '--pin', pin, '--address', '127.0.0.1', ...more];
  const { code, stdout, stderr } = await CliProcess.run([...args, '--output', 'json']).ended;
  expect(stderr).toBe('');
  const result = JSON.parse(stdout) as {
    readonly ok: boolean;
    readonly gateways: readonly { readonly findings: readonly Finding[] }[];
    readonly network: readonly Finding[];
  };
  const findings = [...result.gateways[0]!.findings, ...result.network];
  const of = (check: string) => findings.find((one) => one.check === check);
  const failed = findings.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check);
  return { code, of, failed };
}

/** A server that speaks TLS with a leaf of ours, as `how` says; gives its port and pin. */
async function tlsServer(how: TlsOptions, endsInMs = HOUR_MS) {
  const { certificate, key } = authority.leaf('spiffe://public', HOST, endsInMs);
  const server = createServer({ cert: certificate, key, ...how }, (socket) => {
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  return { port: await listening(server), pin: pinOfCertificate(new X509Certificate(certificate)) };
}

async function listening(server: Server): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('S38: the doctor at a good gateway', () => {
  let folder: GatewayFolder;
  let gateway: GatewayProcess;
  let relayFolder: RelayFolder;
  let relay: RelayProcess;
  let pin: string;
  beforeAll(async () => {
    folder = await GatewayFolder.make();
    gateway = await GatewayProcess.ready(folder);
    pin = pinOfCertificate(new X509Certificate(await readFile(join(folder.path, 'tls/tls.crt'))));
    relayFolder = await RelayFolder.make();
    await relayFolder.writeSettings();
    relay = await RelayProcess.run(relayFolder);
    await relay.answers(503, /not ready/);
  }, 90_000);
  afterAll(async () => {
    await gateway.kill();
    await relay.kill();
    await folder.remove();
    await relayFolder.remove();
  });

  it('S38: reports protocol, cipher, certificate, pins and clock, and ends with 0', async () => {
    const { code, of, failed } = await examine(gateway.port, pin);
    expect(failed).toEqual([]);
    expect(code).toBe(0);
    expect(of('tls')?.detail).toMatch(
      /^TLSv1\.3, TLS_(AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256|AES_128_GCM_SHA256)$/,
    );
    expect(of('old tls')?.detail).toBe('TLS 1.2 and older are refused');
    expect(of('weak ciphers')?.outcome).toBe('ok');
    expect(of('plain text')?.outcome).toBe('ok');
    expect(of('certificate')?.detail).toMatch(/^ec key, valid until /);
    expect(of('pins')?.detail).toBe('1 shown, 0 for later');
    expect(of('clock')?.detail).toBe('the clocks agree within a second');
  }, 60_000);

  it('S38: names the key that is shown when it is not the pinned one, and asks nothing then', async () => {
    const { code, of, failed } = await examine(gateway.port, `sha256/${'B'.repeat(43)}=`);
    expect(failed).toEqual(['certificate']);
    expect(of('certificate')?.detail).toContain(`leaf-not-pinned; it shows ${pin}`);
    expect(of('clock')?.outcome).toBe('unknown');
    expect(code).toBe(1);
  }, 60_000);

  it('says how a relay sees this machine, and that the longest datagrams arrive', async () => {
    const { of } = await examine(gateway.port, pin, ['--relay', `127.0.0.1:${relay.port}`]);
    expect(of('nat')).toMatchObject({ outcome: 'ok' });
    expect(of('nat')?.detail).toMatch(/^none: seen as it is, 127\.0\.0\.1 \d+$/);
    expect(of('mtu')).toMatchObject({ outcome: 'ok' });
  }, 60_000);

  it('says when nobody answers over UDP', async () => {
    const { of } = await examine(gateway.port, pin, ['--relay', '127.0.0.1:9']);
    expect(of('nat')?.detail).toBe('no relay answers over UDP');
    expect(of('mtu')?.outcome).toBe('unknown');
  }, 60_000);
});

describe('S38: the doctor at a bad server', () => {
  it('S38: finds TLS 1.2', async () => {
    const { port, pin } = await tlsServer({ maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' });
    const { code, of, failed } = await examine(port, pin);
    expect(failed).toEqual(['tls', 'old tls']);
    expect(of('old tls')?.detail).toMatch(/^TLSv1\.2 is accepted/);
    expect(code).toBe(1);
  }, 60_000);

  it('S38: finds a server that speaks both', async () => {
    const { port, pin } = await tlsServer({ minVersion: 'TLSv1.2' });
    const { failed } = await examine(port, pin);
    expect(failed).toContain('old tls');
    expect(failed).not.toContain('tls');
  }, 60_000);

  it('S38: finds a certificate that is over', async () => {
    const { port, pin } = await tlsServer({ minVersion: 'TLSv1.3' }, -60_000);
    const { of, failed } = await examine(port, pin);
    expect(failed).toEqual(['certificate']);
    expect(of('certificate')?.detail).toContain('leaf-expired');
  }, 60_000);

  it('S38: finds a wrong pin', async () => {
    const { port } = await tlsServer({ minVersion: 'TLSv1.3' });
    const { of, failed } = await examine(port, `sha256/${'C'.repeat(43)}=`);
    expect(failed).toEqual(['certificate']);
    expect(of('certificate')?.hint).toContain('status.certificates[].pins');
  }, 60_000);

  it('S38: finds a weak cipher', async () => {
    const ciphers = 'TLS_AES_128_CCM_8_SHA256:TLS_AES_128_GCM_SHA256:ALL:@SECLEVEL=0';
    const { port, pin } = await tlsServer({ minVersion: 'TLSv1.3', ciphers });
    const { of, failed } = await examine(port, pin);
    expect(failed).toContain('weak ciphers');
    expect(of('weak ciphers')?.detail).toContain('TLS_AES_128_CCM_8_SHA256');
  }, 60_000);

  it('S38: finds plain ws', async () => {
    const server = createHttpServer();
    new WebSocketServer({ server });
    const port = await listening(server);
    const { of, failed } = await examine(port, `sha256/${'D'.repeat(43)}=`);
    expect(failed).toEqual(['tls', 'plain text']);
    expect(of('plain text')?.detail).toBe('it speaks without TLS');
  }, 60_000);

  it('S18: refuses to look at ws:// and http://', async () => {
    for (const url of ['ws://localhost:1', 'http://localhost:1']) {
      const pin = `sha256/${'D'.repeat(43)}=`;
      const { code, stderr } = await CliProcess.run(['doctor', url, '--pin', pin]).ended;
      expect(code).toBe(78);
      expect(stderr).toContain('there is no insecure mode');
    }
  }, 60_000);

  it('says when nobody is there', async () => {
    const { failed, code } = await examine(9, `sha256/${'D'.repeat(43)}=`);
    expect(failed).toEqual(['reach']);
    expect(code).toBe(1);
  }, 60_000);
});
