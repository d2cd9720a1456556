import { setTimeout as sleep } from 'node:timers/promises';
import { benchAccounts, enter, inParallel } from './gateway-accounts.js';
import { startBare, startGateway, type Contestant } from './gateway-contestants.js';
import { LoadSocket } from './gateway-socket.js';
import { residentBytes } from './relay-contestants.js';
import type { Metric } from './report.js';

/** Handshakes at one time. */
const WIDTH = 32;
const COLLECT_MS = 2_000;
const TIMES_AT_MOST = 1.15;

/** How many, and how long nothing happens before memory is read: longer than anything that a login leaves to a timer. */
export interface IdlePlan {
  readonly sockets: number;
  /**
   * Connections before them: what a server allocates once is not counted for the many. With few of them the room that V8
   * makes for young objects, up to 134 MB, still grows while the others come.
   */
  readonly warm: number;
  readonly settleMs: number;
}

type Connect = (index: number) => Promise<LoadSocket>;

/** What an idle connection costs: at the gateway logged in, at the bare server open. */
export async function benchIdle(report: (metric: Metric) => void, plan: IdlePlan): Promise<void> {
  const { sockets, warm } = plan;
  const bare = await startBare();
  const bareBytes = await bytesPerSocket(bare, plan, (index) => LoadSocket.open(bare.place, index));
  const gateway = await startGateway();
  const accounts = benchAccounts(warm + sockets);
  const bytes = await bytesPerSocket(gateway, plan, (index) =>
    enter(gateway.place, accounts[index]!, index),
  );
  const common = { bench: 'gateway', unit: 'B', sockets };
  report({ ...common, metric: 'bare_idle_socket_bytes', value: bareBytes });
  report({
    ...common,
    metric: 'idle_socket_bytes',
    value: bytes,
    reference: `<= ${TIMES_AT_MOST} times the bare server: ${(bytes / bareBytes).toFixed(3)}`,
  });
}

/** Growth of the resident set over `sockets` connections, garbage collected before and after. Stops the server. */
async function bytesPerSocket(
  server: Contestant,
  { sockets, warm, settleMs }: IdlePlan,
  connect: Connect,
): Promise<number> {
  const open: LoadSocket[] = [];
  const fill = (first: number, count: number) =>
    inParallel(count, WIDTH, async (index) => {
      open.push(await connect(first + index));
    });
  try {
    await fill(0, warm);
    const before = await settledBytes(server, settleMs);
    await fill(warm, sockets);
    const after = await settledBytes(server, settleMs);
    const lost = open.filter(({ isClosed }) => isClosed).length;
    if (lost > 0) throw new Error(`${lost} of ${open.length} connections were ended`);
    return (after - before) / sockets;
  } finally {
    for (const socket of open) socket.cut();
    await server.stop();
  }
}

async function settledBytes({ pid }: Contestant, settleMs: number): Promise<number> {
  // Pages that a collection has emptied are given back at the next one.
  for (let i = 0; i < 2; i++) {
    await sleep(settleMs);
    process.kill(pid, 'SIGUSR2');
  }
  await sleep(COLLECT_MS);
  return residentBytes(pid);
}
