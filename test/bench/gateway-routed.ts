import type { ToEndpoint } from '../../src/messages/signaling.js';
import { benchAccounts, enter, inParallel } from './gateway-accounts.js';
import { startBare, startGateway, type Contestant } from './gateway-contestants.js';
import { aToken, p99, Ring, type RingRun } from './gateway-ring.js';
import { LoadSocket, textFrame, type Place } from './gateway-socket.js';
import { cpuSeconds } from './relay-contestants.js';
import { median, type Metric } from './report.js';

const CONNECTIONS = 200;
/** Messages of each connection that are on the way: most reads hold one, as with real clients. */
const WINDOW = 4;
const SHARE = 0.7;
const LEAST_PER_SECOND = 30_000;
const NAMES = ['routed', 'bare_ws', 'bare_ws_answering'] as const;

type Name = (typeof NAMES)[number];

/** How long and how often. */
export interface RoutedPlan {
  readonly ms: number;
  readonly repetitions: number;
}

interface Contender {
  readonly name: Name;
  readonly pid: number;
  readonly ring: Ring;
}

interface Figures {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Processor time of the server, all threads. */
  readonly usPerMessage: number;
  readonly busy: string;
}

/** Messages per second on one core and their latency, of the gateway and two bare forwarders in turn. */
export async function benchRouted(
  report: (metric: Metric) => void,
  { ms, repetitions }: RoutedPlan,
): Promise<void> {
  const [gateway, bare] = [await startGateway(), await startBare()];
  const contenders = await contendersOf(gateway, bare);
  const figures = new Map<Name, Figures[]>(NAMES.map((name) => [name, []]));
  try {
    // Compiled code is what is compared, not who comes first.
    for (const { ring } of contenders) await ring.saturate(WINDOW, ms / 2);
    for (let i = 0; i < repetitions; i++)
      for (const contender of contenders)
        figures.get(contender.name)?.push(await measure(contender, ms));
  } finally {
    for (const { ring } of contenders) ring.close();
    await Promise.all([gateway.stop(), bare.stop()]);
  }
  reportRouted(report, figures);
}

async function contendersOf(gateway: Contestant, bare: Contestant): Promise<readonly Contender[]> {
  const tokens = Array.from({ length: CONNECTIONS }, aToken);
  const ofBare = async (mode: string) =>
    new Ring(
      await connections((index) =>
        LoadSocket.open(bare.place, index, `/signaling/${mode}/${index}/${CONNECTIONS}`),
      ),
      tokens,
    );
  return [
    { name: 'routed', pid: gateway.pid, ring: await gatewayRing(gateway.place, tokens) },
    { name: 'bare_ws', pid: bare.pid, ring: await ofBare('forward') },
    { name: 'bare_ws_answering', pid: bare.pid, ring: await ofBare('answer') },
  ];
}

/** A ring at the gateway: each connection listens at its token. */
export async function gatewayRing(place: Place, tokens: readonly string[]): Promise<Ring> {
  const accounts = benchAccounts(tokens.length);
  const sockets = await connections(async (index) => {
    const socket = await enter(place, accounts[index]!, index);
    const body = { tokens: [tokens[index]] };
    const request = { type: 'request', id: 1, name: 'rendezvous.listen', body };
    socket.write(textFrame(JSON.stringify(request)));
    const answer = JSON.parse(await socket.next()) as ToEndpoint; // The gateway sends its own schema's messages.
    if (answer.type !== 'answer' || 'refused' in answer) throw new Error(JSON.stringify(answer));
    return socket;
  });
  return new Ring(sockets, tokens);
}

async function connections(connect: (index: number) => Promise<LoadSocket>) {
  const sockets: LoadSocket[] = [];
  await inParallel(CONNECTIONS, 16, async (index) => {
    sockets[index] = await connect(index);
  });
  return sockets;
}

async function measure({ pid, ring }: Contender, ms: number): Promise<Figures> {
  const [server, own, begin] = [cpuSeconds(pid), process.cpuUsage(), performance.now()];
  const arrived = ring.arrived;
  const { perSecond } = await ring.saturate(WINDOW, ms);
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(own);
  const cpu = cpuSeconds(pid) - server;
  const usPerMessage = (cpu * 1e6) / (ring.arrived - arrived);
  const percent = (part: number) => `${Math.round((100 * part) / seconds)} %`;
  const busy = `server ${percent(cpu)} of its core, generator ${percent((user + system) / 1e6)}`;
  return { perSecond, busy, usPerMessage, p99Ms: p99(await atHalf(ring, perSecond, ms)) };
}

const atHalf = (ring: Ring, perSecond: number, ms: number): Promise<RingRun> =>
  ring.pace(perSecond / 2, ms);

function reportRouted(
  report: (metric: Metric) => void,
  figures: ReadonlyMap<Name, readonly Figures[]>,
): void {
  const of = (name: Name, what: 'perSecond' | 'p99Ms' | 'usPerMessage') =>
    (figures.get(name) ?? []).map((each) => each[what]);
  const ratio = (name: Name) =>
    (median(of('routed', 'perSecond')) / median(of(name, 'perSecond'))).toFixed(2);
  const promised = `>= ${LEAST_PER_SECOND}, >= ${SHARE} of bare_ws: ${ratio('bare_ws')} of it, ${ratio('bare_ws_answering')} of the answering one; `;
  for (const name of NAMES) {
    const busy = figures.get(name)?.[0]?.busy ?? '';
    const one = (metric: string, unit: string, values: readonly number[], reference: string) => {
      const range = { least: Math.min(...values), most: Math.max(...values) };
      const common = { bench: 'gateway', sockets: CONNECTIONS, value: median(values) };
      report({ ...common, ...range, metric: `${name}_${metric}`, unit, reference });
    };
    const isOurs = name === 'routed';
    one('messages_per_second', '1/s', of(name, 'perSecond'), `${isOurs ? promised : ''}${busy}`);
    one('p99_ms', 'ms', of(name, 'p99Ms'), 'at half of its own rate');
    one('cpu_us_per_message', 'us', of(name, 'usPerMessage'), 'of the server, all threads');
  }
}
