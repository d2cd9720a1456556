// Jest calls this once before the specs of project `cluster`: one cluster for all of them, held by a process of its own.
// Plain JavaScript, since jest does not translate what it loads here.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HOST = fileURLToPath(new URL('./host.ts', import.meta.url));
const STATE_VARIABLE = 'SALLYPORT_TEST_CLUSTER';

/** Starts the cluster, unless whoever works on these tests has one running and says where. */
export default async function setup() {
  if (process.env[STATE_VARIABLE] !== undefined) return;
  const host = spawn(process.execPath, ['--import', 'tsx', HOST], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: host.stdout }).once('line', resolve);
    host.once('error', reject);
    host.once('exit', (code) => reject(new Error(`The cluster did not start (exit ${code}).`)));
  });
  process.env[STATE_VARIABLE] = line.slice(STATE_VARIABLE.length + 1);
  globalThis.clusterHost = host;
}
