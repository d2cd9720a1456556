/*
 * The listener of relays: mutual TLS, one path. A certificate opens nothing but the registration of its own pool.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  MAX_FROM_RELAY_BYTES,
  RELAY_REGISTRY_PATH,
  RELAY_REGISTRY_PROTOCOL,
} from '../../messages/relay-registry.js';
import { CLOSE_CODES } from '../../messages/signaling.js';
import type { RelayConversation, RelayRoom } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import { readFromRelay } from './message-reader.js';
import type { InternalRefusal, ServerCounters } from './metrics.js';
import { answerRefusal } from './refusal.answer.js';
import { TlsListener } from './tls.listener.js';
import { upgradeRefusal } from './upgrade-decision.js';

/** Relays of all pools that may use one gateway, several times over. */
const MAX_CONNECTIONS = 10_000;
const MAX_WAITING = 512;
/** A relay that says nothing for so long is gone: it has to speak every 5 s. */
const SILENT_MS = 30_000;
/** What may wait for a relay that does not read: some messages of revocations. */
const WAITING_BYTES = 8 << 20;
const MAX_FRAGMENTS = 16;

/** What the listener works with. */
export interface InternalListenerParts {
  readonly settings: () => GatewaySettings;
  readonly counters: ServerCounters;
  readonly monotonicMs: () => number;
  /** The URI of the pool whose certificate it is; undefined if it is none that may register. */
  identityOf(certificate: Uint8Array): string | undefined;
  readonly relays: Pick<RelayRoom, 'accept'>;
  failed(what: string, error: unknown): void;
}

interface OpenRelay {
  readonly socket: WebSocket;
  readonly certificate: Uint8Array;
  readonly identity: string;
  heardMs: number;
}

/** Listens for relays. */
export class InternalListener {
  readonly #listener: TlsListener;
  readonly #relays = new Set<OpenRelay>();
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FROM_RELAY_BYTES,
    maxFragments: MAX_FRAGMENTS,
    handleProtocols: () => RELAY_REGISTRY_PROTOCOL,
  });

  constructor(private readonly parts: InternalListenerParts) {
    const rules = {
      ...parts.settings().listeners.internal,
      setting: 'listeners.internal',
      maxConnections: MAX_CONNECTIONS,
      maxWaiting: MAX_WAITING,
      mutual: true,
    };
    const events = {
      admit: () => true,
      upgrade: (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
        this.#upgrade(request, socket, head);
      },
      request: (_request: IncomingMessage, socket: Duplex) => {
        this.#refuse(socket, 'forbidden');
      },
      handshake: (outcome: 'success' | 'failure') => {
        parts.counters.handshakes.inc({ listener: 'internal', outcome });
        if (outcome === 'failure') this.#count('tls');
      },
      malformed: () => {
        this.#count('bad-request');
      },
    };
    this.#listener = new TlsListener(rules, events, parts.monotonicMs);
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Relays that are connected. */
  get count(): number {
    return this.#relays.size;
  }

  /** Serves new connections with this certificate, and takes certificates of these authorities. */
  present(context: SecureContextOptions): void {
    this.#listener.present(context);
  }

  /** Binds. @throws ActionableError ERR_LISTEN */
  listen(): Promise<void> {
    return this.#listener.listen();
  }

  /** Ends connections of relays that are not permitted any more. */
  trustChanged(): void {
    for (const relay of this.#relays)
      if (this.parts.identityOf(relay.certificate) !== relay.identity)
        relay.socket.close(CLOSE_CODES['session-ended']);
  }

  /** Cuts relays that are silent; to be called every second. */
  tick(nowMs: number): void {
    for (const relay of this.#relays)
      if (nowMs - relay.heardMs > SILENT_MS || relay.socket.bufferedAmount > WAITING_BYTES)
        relay.socket.terminate();
  }

  /** Takes no further relays, and tells those that are here to go elsewhere. */
  stop(): void {
    this.#listener.stopListening();
    for (const { socket } of this.#relays) socket.close(CLOSE_CODES['gateway-ends']);
  }

  close(): void {
    this.#listener.close();
  }

  #upgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    const certificate = socket.getPeerX509Certificate()?.raw;
    const identity = certificate && this.parts.identityOf(certificate);
    const refused = identity === undefined ? 'identity' : refusalOf(request);
    if (refused !== undefined || identity === undefined || !certificate) {
      this.#refuse(socket, refused ?? 'identity');
      return;
    }
    this.#listener.upgraded(socket);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#accept({ socket: webSocket, certificate, identity, heardMs: this.parts.monotonicMs() });
    });
  }

  #accept(relay: OpenRelay): void {
    const { socket, identity } = relay;
    const conversation = this.parts.relays.accept(identity, (message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    });
    if (!conversation) {
      this.#count('identity');
      socket.close(CLOSE_CODES['session-ended']);
      return;
    }
    this.parts.counters.relayUpgrades.inc({ outcome: 'success', reason: 'none' });
    this.#relays.add(relay);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#relays.delete(relay);
      conversation.closed();
    });
    socket.on('message', (bytes, isBinary) => {
      // A Buffer is what `ws` gives unless it is told otherwise.
      this.#message(relay, conversation, isBinary ? '' : (bytes as Buffer).toString('utf8'));
    });
  }

  #message(relay: OpenRelay, conversation: RelayConversation, text: string): void {
    const { socket } = relay;
    relay.heardMs = this.parts.monotonicMs();
    const read = readFromRelay(text);
    if ('refused' in read) {
      this.#count('bad-request');
      socket.close(CLOSE_CODES['bad-message']);
      return;
    }
    try {
      const { send, close } = conversation.receive(read.message);
      for (const message of send) socket.send(JSON.stringify(message));
      if (close) socket.close(CLOSE_CODES['session-ended']);
    } catch (error) {
      this.parts.failed('relay registry', error);
      socket.close(CLOSE_CODES['gateway-ends']);
    }
  }

  #refuse(socket: Duplex, reason: InternalRefusal): void {
    this.#count(reason);
    answerRefusal(socket, reason === 'bad-request' ? 400 : 403);
  }

  #count(reason: InternalRefusal): void {
    const { relayUpgrades, anomalies } = this.parts.counters;
    relayUpgrades.inc({ outcome: 'failure', reason });
    if (reason === 'identity') anomalies.inc({ kind: 'relay-identity' });
  }
}

/** Everything but the registration is forbidden to a relay, whether it exists or not. */
function refusalOf({
  method = '',
  url = '',
  httpVersion,
  rawHeaders,
}: IncomingMessage): InternalRefusal | undefined {
  const rules = { path: RELAY_REGISTRY_PATH, protocol: RELAY_REGISTRY_PROTOCOL, origins: [] };
  const refused = upgradeRefusal({ method, target: url, httpVersion, rawHeaders }, rules);
  if (refused === undefined) return undefined;
  return refused === 'not-found' || refused === 'method' ? 'forbidden' : 'bad-request';
}
