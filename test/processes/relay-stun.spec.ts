/*
 * A STUN client that others wrote (turnutils_stunclient of coturn, from the distribution) at our relay.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { debianTree } from '../debian/packages.js';
import { RelayFolder, RelayProcess } from './relay-shell-bed.js';

/** The program waits for ever for an answer that does not come. */
const GIVE_UP_MS = 20_000;
/** An answer on loopback is there in a millisecond. */
const SILENCE_MS = 2_000;

/** Starts the foreign client; gives what it printed when it ended or `ms` were over. */
function stunclient(args: readonly string[], ms: number): Promise<string> {
  const { root, env } = debianTree(['coturn']);
  const child = spawn(join(root, 'usr/bin/turnutils_stunclient'), args, { env });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  return new Promise((resolve) =>
    child.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    }),
  );
}

describe('a STUN client that others wrote', () => {
  let folder: RelayFolder;
  let relay: RelayProcess;
  const allow = (allowPlain: boolean) =>
    folder.writeSettings((settings) => ({ ...settings, stun: { allowPlain } }));
  beforeAll(async () => {
    folder = await RelayFolder.make();
    await allow(true);
    relay = await RelayProcess.run(folder);
    // Without keys and leaf it is not ready for leases; STUN needs neither.
    await relay.answers(503, /not ready/);
  }, 60_000);
  afterAll(async () => {
    await relay.kill();
    await folder.remove();
  });

  it('learns its address from the relay where plain requests are allowed', async () => {
    const text = await stunclient(['-p', `${relay.port}`, '127.0.0.1'], GIVE_UP_MS);
    expect(text).toMatch(/UDP reflexive addr: 127\.0\.0\.1:\d+/);
  }, 60_000);

  it('T7: hears nothing where they are not, and is counted', async () => {
    await allow(false);
    const refused = 'sallyport_relay_drops_total{reason="stun"}';
    const end = Date.now() + GIVE_UP_MS;
    let text = '';
    do text = await stunclient(['-p', `${relay.port}`, '127.0.0.1'], SILENCE_MS);
    while (text.includes('reflexive') && Date.now() < end);
    expect(text).not.toContain('reflexive');
    expect(await relay.metric(refused)).toBeGreaterThan(0);
  }, 60_000);
});
