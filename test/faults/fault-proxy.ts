import { Agent, createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { isWatch, matches, statusObject } from './fault.js';
import type { Call, Fault, Match, Rule } from './fault.js';
import { WatchRelay } from './watch-relay.js';

/** The server behind a proxy: a `TestApiServer` is one. */
export interface Upstream {
  readonly url: string;
  /** PEM of the CA that signed the server's certificate. */
  readonly ca: string;
  issueCertificate(commonName: string): Promise<{ readonly cert: string; readonly key: string }>;
}

/** A rule that a proxy holds. */
export interface HeldRule {
  /** How many requests have suffered so far. */
  readonly hits: number;
  /** Ends the rule before it is used up. */
  remove(): void;
}

/** Looks at a call after the server answered it and before the client learns of it; the answer waits. */
export type AnswerListener = (call: Readonly<Call>) => void | Promise<void>;

interface ActiveRule extends HeldRule {
  readonly rule: Rule;
  seen: number;
  hits: number;
}

/** Headers of one connection, which are not the next one's (RFC 9110, 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

/** Starts a TLS proxy for HTTP/1.1 on a free loopback port, with a certificate of the same CA. */
export async function startFaultProxy(upstream: Upstream): Promise<FaultProxy> {
  const proxy = new FaultProxy(upstream, await upstream.issueCertificate('fault proxy'));
  await proxy.up();
  return proxy;
}

/**
 * Stands between a client and the API server and breaks the network on command: for single requests
 * (`add` a rule), for open watches (`cutWatches` ...), or for everything (`down`, `stall`, `cut`).
 */
export class FaultProxy {
  /** Every request that arrived, in order. */
  readonly calls: Call[] = [];
  private readonly rules: ActiveRule[] = [];
  private readonly listeners = new Set<AnswerListener>();
  private readonly watches = new Set<WatchRelay>();
  /** Raw connections by the port of the client. */
  private readonly sockets = new Map<number, Socket>();
  private readonly agent: Agent;
  private readonly target: URL;
  private readonly http: HttpsServer;
  private tcp: Server | undefined;
  private port = 0;
  private stalled: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(upstream: Upstream, leaf: { readonly cert: string; readonly key: string }) {
    this.target = new URL(upstream.url);
    this.agent = new Agent({ keepAlive: true, ca: upstream.ca });
    this.http = createHttpsServer({ ...leaf, keepAliveTimeout: 60_000 }, (request, response) => {
      void this.serve(request, response);
    });
    this.http.requestTimeout = 0;
    // A client that hangs up in the middle of a handshake is none of the proxy's business.
    this.http.on('tlsClientError', () => undefined);
  }

  /** `https://127.0.0.1:PORT`; the port stays when the proxy goes down and up. */
  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Does a fault to the next matching request, or as the rule says. The first rule that matches wins. */
  add(rule: Rule): HeldRule {
    const held: ActiveRule = {
      rule,
      seen: 0,
      hits: 0,
      remove: () => {
        const index = this.rules.indexOf(held);
        if (index >= 0) this.rules.splice(index, 1);
      },
    };
    this.rules.push(held);
    return held;
  }

  /** Forgets all rules. */
  clear(): void {
    this.rules.length = 0;
  }

  /** Calls `listener` after each answer of the server, before the client gets it; gives what ends that. */
  onAnswer(listener: AnswerListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Number of watches that are open now. */
  openWatches(match?: Match): number {
    return this.chosen(match).length;
  }

  /** Cuts open watches in the middle of a line. */
  cutWatches(match?: Match): void {
    for (const watch of this.chosen(match)) watch.cutMidLine();
  }

  /** Ends open watches with an ERROR event that carries a 410. */
  expireWatches(match?: Match): void {
    for (const watch of this.chosen(match)) watch.expire();
  }

  /** Ends open watches cleanly between two events. */
  closeWatches(match?: Match): void {
    for (const watch of this.chosen(match)) watch.close();
  }

  /** Passes nothing on in open watches, and keeps them, until `resume`. New watches work. */
  freezeWatches(match?: Match): void {
    for (const watch of this.chosen(match)) watch.freeze();
  }

  /** Resets every connection now. New ones work. */
  cut(): void {
    for (const socket of this.sockets.values()) socket.resetAndDestroy();
  }

  /** Refuses connections (nobody listens) and resets those that are open, until `up`. */
  async down(): Promise<void> {
    const tcp = this.tcp;
    this.tcp = undefined;
    if (!tcp) return;
    const closed = new Promise((resolve) => tcp.close(resolve));
    this.cut();
    await closed;
  }

  /** Listens, again on the same port after `down`. */
  async up(): Promise<void> {
    if (this.tcp) return;
    const tcp = createServer((socket) => void this.welcome(socket));
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(this.port, '127.0.0.1', resolve);
    });
    this.tcp = tcp;
    this.port = (tcp.address() as AddressInfo).port;
  }

  /** Half-open network: accepts connections, forwards nothing, closes nothing, until `resume`. */
  stall(): void {
    if (this.stalled) return;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.stalled = { over, end };
    this.freezeWatches();
  }

  /** Ends `stall` and `freezeWatches`: what waited goes through, as after a network that healed. */
  resume(): void {
    this.stalled?.end();
    this.stalled = undefined;
    for (const watch of this.watches) watch.thaw();
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await this.down();
    this.stalled?.end();
    this.agent.destroy();
  }

  private chosen(match?: Match): WatchRelay[] {
    return [...this.watches].filter((watch) => matches(watch.call, match));
  }

  private async welcome(socket: Socket): Promise<void> {
    const port = socket.remotePort ?? 0;
    this.sockets.set(port, socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (this.sockets.get(port) === socket) this.sockets.delete(port);
    });
    await this.stalled?.over;
    if (!socket.destroyed) this.http.emit('connection', socket);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = { request, response, call: callOf(request) };
    this.calls.push(exchange.call);
    await this.stalled?.over;
    const fault = this.faultFor(exchange.call);
    if (fault) exchange.call.fault = fault.kind;
    if (fault?.kind === 'Delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (!request.socket.destroyed) this.carryOn(exchange, fault);
  }

  private carryOn(exchange: Exchange, fault: Fault | undefined): void {
    if (fault?.kind === 'Stall') return;
    if (fault?.kind === 'Reset') this.reset(exchange.request);
    else if (fault?.kind === 'Status') refuse(fault, exchange);
    else this.forward(exchange, fault);
  }

  private faultFor(call: Call): Fault | undefined {
    const held = this.rules.find((candidate) => {
      if (!matches(call, candidate.rule.match)) return false;
      candidate.seen += 1;
      return (
        candidate.seen >= (candidate.rule.nth ?? 1) && candidate.hits < (candidate.rule.times ?? 1)
      );
    });
    if (!held) return undefined;
    held.hits += 1;
    return held.rule.fault;
  }

  private reset(request: IncomingMessage): void {
    this.sockets.get(request.socket.remotePort ?? 0)?.resetAndDestroy();
  }

  private forward(exchange: Exchange, fault: Fault | undefined): void {
    const { request, response, call } = exchange;
    const onward = httpsRequest({
      host: this.target.hostname,
      port: this.target.port,
      method: call.method,
      path: call.path,
      headers: endToEnd(request.headers),
      agent: this.agent,
    });
    onward.on('response', (answer) => void this.answer(exchange, answer, fault));
    onward.on('error', () => {
      this.reset(request);
    });
    // A client that hangs up ends its request at the server too, unless its answer is to be lost there.
    response.once('close', () => {
      if (!response.writableFinished && fault?.kind !== 'DropAnswer') onward.destroy();
    });
    request.pipe(onward);
  }

  private async answer(exchange: Exchange, answer: IncomingMessage, fault?: Fault): Promise<void> {
    const { request, response, call } = exchange;
    call.serverStatus = answer.statusCode ?? 0;
    if (fault?.kind === 'DropAnswer') {
      answer.resume();
      answer.once('end', () => {
        void this.tell(call).then(() => {
          this.reset(request);
        });
      });
      return;
    }
    await this.tell(call);
    await this.stalled?.over;
    if (response.destroyed) {
      answer.destroy();
      return;
    }
    call.status = call.serverStatus;
    response.writeHead(call.serverStatus, endToEnd(answer.headers));
    response.flushHeaders();
    if (call.watch && call.status === 200) this.relay(exchange, answer, fault);
    else {
      answer.on('error', () => {
        this.reset(request);
      });
      answer.pipe(response);
    }
  }

  private relay({ response, call }: Exchange, answer: IncomingMessage, fault?: Fault): void {
    const watch = new WatchRelay(call, answer, response, fault);
    this.watches.add(watch);
    response.once('close', () => {
      this.watches.delete(watch);
    });
  }

  private async tell(call: Call): Promise<void> {
    for (const listener of this.listeners) await listener(call);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: Call;
}

function callOf({ method = 'GET', url = '/', headers }: IncomingMessage): Call {
  const userAgent = headers['user-agent'] ?? '';
  return { method, path: url, userAgent, watch: isWatch(method, url) };
}

function refuse(fault: Fault & { kind: 'Status' }, { request, response, call }: Exchange): void {
  const { code, retryAfterSeconds } = fault;
  call.status = code;
  request.resume();
  const retryAfter =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(code, { 'content-type': 'application/json', ...retryAfter });
  response.end(JSON.stringify(statusObject(code, retryAfterSeconds)));
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}
