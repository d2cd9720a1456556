/*
 * `npm run bench -- session`: sealing, opening and handshakes of a session per cryptographic back end, on one core; and
 * a million inputs to each decoder of bytes from strangers.
 */
import { randomFillSync } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { CryptoBackend } from '../../src/protocol/crypto-backend.js';
import { MAX_PLAINTEXT_BYTES } from '../../src/protocol/session/datagram.js';
import { BACKENDS, RELAY_PATH, twoSessions } from '../session/two-sessions.js';
import { median, type Metric } from './report.js';
import { DECODERS } from './session-fuzz.js';
import type { FuzzShare } from './session-fuzz.worker.js';

type Report = (metric: Metric) => void;

/** Header and tag. */
const DATAGRAM_OVERHEAD = 32;
/** Datagrams that are sealed before they are opened against the clock. */
const SEALED = 512;
const FUZZ_INPUTS = 1_000_000;
const FUZZ_THREADS = 2;
/** What the product promises with the back end that it prefers. */
const REFERENCES: Readonly<Record<string, string>> = {
  sodium: '>= 100000 sealed and sent',
};

/** Measures each back end three times in turn. `--smoke` only looks whether it works. */
export async function benchSession(report: Report, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      fuzz: { type: 'string', default: `${FUZZ_INPUTS}` },
      // Options of the relay bench, when both run in one call.
      only: { type: 'string' },
      part: { type: 'string' },
    },
  });
  const ms = values.smoke ? 50 : values.full ? 2_000 : 600;
  benchBackends(report, ms, values.smoke ? 1 : 3);
  await benchDecoders(report, values.smoke ? 2_000 : Number(values.fuzz));
}

function benchBackends(report: Report, ms: number, repetitions: number): void {
  const figures = new Map<string, number[]>();
  const note = (key: string, value: number): void => {
    figures.set(key, [...(figures.get(key) ?? []), value]);
  };
  for (let i = 0; i < repetitions; i++)
    for (const [name, backend] of BACKENDS) {
      note(`session_seal_per_second ${name}`, sealsPerSecond(backend, ms));
      note(`session_open_per_second ${name}`, opensPerSecond(backend, ms));
      note(`handshakes_per_second ${name}`, handshakesPerSecond(backend, ms));
    }
  for (const [key, values] of figures) reportFigure(report, key, values);
}

function reportFigure(report: Report, key: string, values: readonly number[]): void {
  const [metric = '', backend = ''] = key.split(' ');
  const ofPackets = metric.startsWith('session');
  const promised = metric.startsWith('handshakes')
    ? '>= 1000; both sides on one core'
    : REFERENCES[backend];
  report({
    ...{ bench: 'session', metric, backend, unit: '1/s', value: median(values) },
    ...{ least: Math.min(...values), most: Math.max(...values) },
    ...(ofPackets && { packet_bytes: MAX_PLAINTEXT_BYTES + DATAGRAM_OVERHEAD }),
    ...(promised !== undefined && backend === 'sodium' && { reference: promised }),
  });
}

const random = (out: Uint8Array): void => void randomFillSync(out);

/** Runs `work` for about `ms`, in rounds; gives how many of `perRound` things it did per second. */
function perSecond(ms: number, perRound: number, work: () => void): number {
  work();
  const begin = performance.now();
  let rounds = 0;
  let elapsed = 0;
  do {
    work();
    rounds++;
    elapsed = performance.now() - begin;
  } while (elapsed < ms);
  return (rounds * perRound * 1_000) / elapsed;
}

function sealsPerSecond(backend: CryptoBackend, ms: number): number {
  const { alice, bob } = twoSessions({ backend, random });
  const plaintext = new Uint8Array(MAX_PLAINTEXT_BYTES).fill(7);
  const out = new Uint8Array(MAX_PLAINTEXT_BYTES + DATAGRAM_OVERHEAD);
  const rate = perSecond(ms, 256, () => {
    const now = performance.now();
    for (let i = 0; i < 256; i++) alice.seal(plaintext, out, now);
  });
  alice.close();
  bob.close();
  return rate;
}

/** Only opening is on the clock; every datagram is opened once, or it would be a replay. */
function opensPerSecond(backend: CryptoBackend, ms: number): number {
  const { alice, bob } = twoSessions({ backend, random });
  const size = MAX_PLAINTEXT_BYTES + DATAGRAM_OVERHEAD;
  const plaintext = new Uint8Array(MAX_PLAINTEXT_BYTES).fill(7);
  const out = new Uint8Array(MAX_PLAINTEXT_BYTES);
  const datagrams = Array.from({ length: SEALED }, () => new Uint8Array(size));
  let opened = 0;
  let elapsed = 0;
  while (elapsed < ms) {
    for (const datagram of datagrams) alice.seal(plaintext, datagram, 0);
    const begin = performance.now();
    for (const datagram of datagrams) {
      const length = bob.open(datagram, out, RELAY_PATH, 0);
      if (length !== MAX_PLAINTEXT_BYTES) throw new Error(`not opened: ${length}`);
    }
    elapsed += performance.now() - begin;
    opened += SEALED;
  }
  alice.close();
  bob.close();
  return (opened * 1_000) / elapsed;
}

/** Whole handshakes: three messages, both bindings verified, keys split and erased. */
const handshakesPerSecond = (backend: CryptoBackend, ms: number): number =>
  perSecond(ms, 1, () => {
    const { alice, bob } = twoSessions({ backend, random });
    alice.close();
    bob.close();
  });

/** Half of the decoders in each of two threads: nothing is timed here. Rejects with what a decoder did wrong. */
async function benchDecoders(report: Report, runs: number): Promise<void> {
  const threads = Array.from({ length: FUZZ_THREADS }, (_, first) => {
    const decoders = DECODERS.filter((_name, i) => i % FUZZ_THREADS === first);
    const worker = new Worker(new URL('./session-fuzz.worker.ts', import.meta.url), {
      workerData: { decoders, runs } satisfies FuzzShare,
      execArgv: ['--import', 'tsx'],
    });
    worker.on('message', report);
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => {
        resolve();
      });
    });
  });
  await Promise.all(threads);
}
