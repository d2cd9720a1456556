/*
 * The listener of clients: one path, one protocol. Limits come before everything that costs: the number of connections of
 * an address before TLS and again with the request, that of everybody after it.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import {
  MAX_FROM_ENDPOINT_BYTES,
  SIGNALING_PATH,
  SIGNALING_PROTOCOL,
} from '../../messages/signaling.js';
import { sourceOf } from '../../runtime/ip-address.js';
import { SourceLimiter, TokenBucket } from '../../runtime/source-limiter.js';
import type { LoginFacts } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import {
  addressText,
  clientAddress,
  isTrustedProxy,
  peerAddress,
  trustedProxies,
} from './client-address.js';
import { EndpointWebSocket } from './endpoint-web.socket.js';
import type { Wire } from './message.outlet.js';
import type { ServerCounters } from './metrics.js';
import { answerRefusal } from './refusal.answer.js';
import { TlsListener } from './tls.listener.js';
import {
  headerValues,
  REFUSAL_STATUS,
  upgradeRefusal,
  type UpgradeRefusal,
} from './upgrade-decision.js';

/** 4,096 sets of 4 sources: at most 0.4 MB. */
const LIMITER_SETS = 4_096;
const SEED_BYTES = 16;
/** Handshakes cost more than requests, and a refusal is told in a request: so many times the limit may begin one. */
const HANDSHAKE_FACTOR = 4;
const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
/** About 60 kB each in use: what fits into the memory of a pod is bounded by rate limits long before. */
const MAX_CONNECTIONS = 20_000;
const MAX_WAITING = 2_048;
/** Envelopes come in one frame; browsers may cut large messages in a few. */
const MAX_FRAGMENTS = 16;
/** TCP segments of one message. */
const MAX_CHUNKS = 1_024;
/** RFC 9266: the exporter that binds a login to its connection. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
const EXPORTER_BYTES = 32;

/** What the listener works with. */
export interface PublicListenerParts {
  readonly settings: () => GatewaySettings;
  readonly counters: ServerCounters;
  readonly random: (bytes: number) => Uint8Array;
  readonly monotonicMs: () => number;
  /** Whether the gateway ends: nobody is let in any more. */
  readonly isEnding: () => boolean;
  /** A WebSocket is open. */
  accept(wire: Wire, facts: LoginFacts): void;
}

/** Listens for clients. */
export class PublicListener {
  readonly #listener: TlsListener;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: EndpointWebSocket,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MAX_FROM_ENDPOINT_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    handleProtocols: () => SIGNALING_PROTOCOL,
  });
  readonly #handshakes: SourceLimiter;
  readonly #requests: SourceLimiter;
  readonly #everybody = new TokenBucket();
  readonly #everybodysHandshakes = new TokenBucket();

  constructor(private readonly parts: PublicListenerParts) {
    const { settings, random, counters, monotonicMs } = parts;
    this.#handshakes = new SourceLimiter(LIMITER_SETS, random(SEED_BYTES));
    this.#requests = new SourceLimiter(LIMITER_SETS, random(SEED_BYTES));
    const rules = {
      ...settings().listeners.public,
      setting: 'listeners.public',
      maxConnections: MAX_CONNECTIONS,
      maxWaiting: MAX_WAITING,
      mutual: false,
    };
    const events = {
      admit: (socket: Socket) => this.#admit(socket),
      upgrade: (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
        this.#upgrade(request, socket, head);
      },
      request: (request: IncomingMessage, socket: Duplex) => {
        this.#refuse(socket, this.#facts(request).refused ?? 'no-upgrade');
      },
      handshake: (outcome: 'success' | 'failure') => {
        counters.handshakes.inc({ listener: 'public', outcome });
      },
      malformed: () => {
        counters.upgrades.inc({ outcome: 'failure', reason: 'bad-request' });
      },
    };
    this.#listener = new TlsListener(rules, events, monotonicMs);
  }

  get port(): number {
    return this.#listener.port;
  }

  get waiting(): number {
    return this.#listener.waiting;
  }

  get evictedSources(): number {
    return this.#handshakes.evictions + this.#requests.evictions;
  }

  present(context: SecureContextOptions): void {
    this.#listener.present(context);
  }

  /** Binds. @throws ActionableError ERR_LISTEN */
  listen(): Promise<void> {
    return this.#listener.listen();
  }

  /** To be called every second: who has gone is not remembered for longer than a limit counts. */
  tick(): void {
    const now = this.parts.monotonicMs();
    for (const limiter of [this.#handshakes, this.#requests]) limiter.forget(MINUTE_MS, now);
  }

  stopListening(): void {
    this.#listener.stopListening();
  }

  close(): void {
    this.#listener.close();
  }

  /** Before TLS: nobody can be told anything yet. Behind a proxy all clients have its address. */
  #admit(socket: Socket): boolean {
    const { rateLimits, trustedProxies: proxies } = this.parts.settings();
    const peer = peerAddress(socket.remoteAddress);
    if (!peer) return false;
    if (isTrustedProxy(peer, trustedProxies(proxies))) return true;
    const now = this.parts.monotonicMs();
    const perMinute = HANDSHAKE_FACTOR * rateLimits.connectionsPerAddressPerMinute;
    const perSecond = HANDSHAKE_FACTOR * rateLimits.connectionsPerSecond;
    const one = { count: perMinute, perMs: MINUTE_MS };
    if (!this.#handshakes.take(sourceOf(peer), one, now)) return this.#deny('address-limit');
    const all = { count: perSecond, perMs: SECOND_MS };
    return this.#everybodysHandshakes.take(all, now) || this.#deny('global-limit');
  }

  #deny(reason: UpgradeRefusal): false {
    this.parts.counters.upgrades.inc({ outcome: 'failure', reason });
    return false;
  }

  #upgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    const result = this.#facts(request);
    if (result.refused !== undefined) {
      this.#refuse(socket, result.refused);
      return;
    }
    const facts = withExporter(result.facts, socket);
    if (!facts) {
      socket.destroy();
      return;
    }
    this.#listener.upgraded(socket);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.parts.counters.upgrades.inc({ outcome: 'success', reason: 'none' });
      this.parts.accept({ socket: webSocket, connection: socket }, facts);
    });
  }

  /** Who asks, if it may: its address first, because that is what limits are kept by. */
  #facts(
    request: IncomingMessage,
  ):
    | { readonly refused: UpgradeRefusal }
    | { readonly refused?: undefined; readonly facts: LoginFacts } {
    const settings = this.parts.settings();
    const peer = peerAddress(request.socket.remoteAddress);
    if (!peer) return { refused: 'bad-request' };
    const forwardedFor = headerValues(request.rawHeaders, 'x-forwarded-for');
    const client = clientAddress({ peer, forwardedFor }, trustedProxies(settings.trustedProxies));
    if ('refused' in client) return client;
    const refused = this.#limited(client.address, settings) ?? refusalOf(request, settings);
    if (refused) return { refused };
    if (!this.#takeFromEverybody(settings)) return { refused: 'global-limit' };
    if (this.parts.isEnding()) return { refused: 'full' };
    const { address, viaTrustedProxy } = client;
    return { facts: { address: addressText(address), viaTrustedProxy } };
  }

  #limited(address: Uint8Array, { rateLimits }: GatewaySettings): UpgradeRefusal | undefined {
    const allowance = { count: rateLimits.connectionsPerAddressPerMinute, perMs: MINUTE_MS };
    const isAllowed = this.#requests.take(sourceOf(address), allowance, this.parts.monotonicMs());
    return isAllowed ? undefined : 'address-limit';
  }

  /** After everything else, so that what is refused anyway takes nothing from the others. */
  #takeFromEverybody({ rateLimits }: GatewaySettings): boolean {
    const allowance = { count: rateLimits.connectionsPerSecond, perMs: SECOND_MS };
    return this.#everybody.take(allowance, this.parts.monotonicMs());
  }

  #refuse(socket: Duplex, reason: UpgradeRefusal): void {
    this.#deny(reason);
    answerRefusal(socket, REFUSAL_STATUS[reason], this.#headersOf(reason));
  }

  #headersOf(reason: UpgradeRefusal): Readonly<Record<string, string | number>> {
    const { connectionsPerAddressPerMinute } = this.parts.settings().rateLimits;
    switch (reason) {
      case 'address-limit':
        return { 'Retry-After': Math.ceil(60 / connectionsPerAddressPerMinute) };
      case 'global-limit':
      case 'full':
        return { 'Retry-After': 1 };
      case 'method':
        return { Allow: 'GET' };
      case 'no-upgrade':
        return { Upgrade: 'websocket', 'Sec-WebSocket-Version': 13 };
      default:
        return {};
    }
  }
}

function refusalOf(
  { method = '', url = '', httpVersion, rawHeaders }: IncomingMessage,
  { hosts, allowedOrigins }: GatewaySettings,
): UpgradeRefusal | undefined {
  return upgradeRefusal(
    { method, target: url, httpVersion, rawHeaders },
    {
      path: SIGNALING_PATH,
      protocol: SIGNALING_PROTOCOL,
      hosts: hosts.map((host) => host.toLowerCase()),
      origins: allowedOrigins,
    },
  );
}

/** The facts with the exporter of this very TLS connection; undefined if it is gone. A proxy's is not the client's. */
function withExporter(facts: LoginFacts, socket: TLSSocket): LoginFacts | undefined {
  if (facts.viaTrustedProxy) return facts;
  try {
    // TLS 1.3 makes no difference between no context and an empty one (RFC 8446, section 7.5).
    const context = Buffer.alloc(0);
    return {
      ...facts,
      exporter: socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, context),
    };
  } catch {
    return undefined;
  }
}
