import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import { ClientBed, type Person } from './client-bed.js';
import { GatewayFolder, GatewayProcess, HOST } from './gateway-process.js';
import { until } from './relay-udp-endpoint.js';

/** A client whose first gateway is gone has another one within this time (architecture, 5). */
const AT_ANOTHER_WITHIN_MS = 5_000;
/** It looks for its first gateway again after 30 to 90 s. */
const BACK_WITHIN_MS = 100_000;
const FRAME_EVERY_MS = 20;
/** Silence that people would notice: frames of a call wait for nothing that a gateway does. */
const LONGEST_SILENCE_MS = 1_000;

let bed: ClientBed;
let backupFolder: GatewayFolder;
let backup: GatewayProcess;
let alice: Person;
let bob: Person;
let frames: NodeJS.Timeout;
/** When frames of the call came, monotonic. */
const heardAt: number[] = [];

/** `HOST:PORT` of the gateway at which a person is logged in now. */
const gatewayOf = ({ heard }: Person): string | undefined => heard.all('connected').at(-1)?.[0];
const nameOf = ({ port }: GatewayProcess): string => `${HOST}:${port}`;
const bothAt = (gateway: GatewayProcess): boolean =>
  [alice, bob].every(
    (person) => person.client.isConnected && gatewayOf(person) === nameOf(gateway),
  );
const longestSilence = (): number =>
  Math.max(...heardAt.map((at, i) => at - (heardAt[i - 1] ?? at)), 0);

beforeAll(async () => {
  bed = await ClientBed.start();
  backupFolder = await GatewayFolder.make();
  backup = await GatewayProcess.ready(backupFolder);
  const pem = await readFile(join(backupFolder.path, 'tls/tls.crt'), 'utf8');
  const gateways = [
    { url: bed.url, pins: [await bed.pin()] },
    { url: `wss://${nameOf(backup)}`, pins: [pinOfCertificate(new X509Certificate(pem))] },
  ];
  [alice, bob] = await bed.pair({ gateways });
  const call = await alice.client.session(bob.client.fingerprint);
  bob.client.on('message', (_from, channel) => {
    if (channel === 'call') heardAt.push(performance.now());
  });
  frames = setInterval(() => {
    call.send('call', Buffer.alloc(100, 7));
  }, FRAME_EVERY_MS);
  await until('the call is heard', () => heardAt.length > 50);
});
afterAll(async () => {
  clearInterval(frames);
  await bed.stop();
  await backup.kill();
  await backupFolder.remove();
});

describe('two people in a call who have two gateways in their lists', () => {
  it('S76: are at the second within 5 s when the first is killed, as the same people, and go on speaking', async () => {
    expect(bothAt(bed.gateway)).toBe(true);
    const identities = [alice, bob].map(({ client }) => client.fingerprint);
    const killedAt = performance.now();
    await bed.gateway.kill();
    await until('both are at the second gateway', () => bothAt(backup));
    expect(performance.now() - killedAt).toBeLessThan(AT_ANOTHER_WITHIN_MS);
    expect([alice, bob].map(({ client }) => client.welcome?.account)).toEqual(identities);
    const heardBefore = heardAt.length;
    await until('the call goes on', () => heardAt.length > heardBefore + 50);
    expect(longestSilence()).toBeLessThan(LONGEST_SILENCE_MS);
    expect([alice, bob].flatMap(({ heard }) => heard.all('session-ended'))).toEqual([]);
  });

  it('S76: are back at the first when it is there again, in the same call', async () => {
    bed.gateway = GatewayProcess.run(bed.gatewayFolder);
    await bed.gateway.answers(200, /^ready/);
    await until('both are back', () => bothAt(bed.gateway), BACK_WITHIN_MS);
    expect(longestSilence()).toBeLessThan(LONGEST_SILENCE_MS);
    expect([alice, bob].flatMap(({ heard }) => heard.all('session'))).toHaveLength(2);
  });
});
