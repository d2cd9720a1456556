/*
 * The gateway's side of the registration, as small as it can be: a WebSocket over mutual TLS that keeps what relays say
 * and says what a test wants.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  MAX_FROM_RELAY_BYTES,
  RELAY_REGISTRY_PATH,
  RELAY_REGISTRY_PROTOCOL,
  type FromGateway,
  type FromRelay,
} from '../../src/messages/relay-registry.js';
import type { TestLeaf } from './relay-shell-bed.js';

/** What one stand-in is. */
export interface StandInOptions {
  readonly leaf: TestLeaf;
  /** PEM of the authority of relays. */
  readonly authority: string;
  /** What a newly registered relay is told. */
  readonly welcome?: { readonly revoked: string[]; readonly kids: string[] };
  /** What is sent in the place of a welcome. */
  readonly insteadOfWelcome?: string;
  /** The gateway's clock is ahead by so much. */
  readonly aheadMs?: number;
  readonly port?: number;
}

/** A listening stand-in. */
export class GatewayStandIn {
  /** Messages of relays in the order in which they came. */
  readonly received: FromRelay[] = [];
  /** URI of each relay that connected. */
  readonly relays: string[] = [];
  readonly #sockets = new Set<WebSocket>();

  private constructor(
    private readonly server: Server,
    private readonly options: StandInOptions,
  ) {
    const upgrade = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_FROM_RELAY_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) =>
        offered.has(RELAY_REGISTRY_PROTOCOL) ? RELAY_REGISTRY_PROTOCOL : false,
    });
    server.on('upgrade', (request, socket, head) => {
      if (request.url !== RELAY_REGISTRY_PATH) socket.destroy();
      else
        upgrade.handleUpgrade(request, socket, head, (relay) => {
          if (!(request.socket instanceof TLSSocket)) throw new Error('no TLS');
          this.relays.push(request.socket.getPeerCertificate().subjectaltname ?? '');
          this.#accept(relay);
        });
    });
  }

  static async start(options: StandInOptions): Promise<GatewayStandIn> {
    const server = createServer({
      cert: options.leaf.certificate,
      key: options.leaf.key,
      ca: options.authority,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    });
    server.on('tlsClientError', () => undefined);
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new GatewayStandIn(server, options);
  }

  get port(): number {
    return (this.server.address() as { readonly port: number }).port;
  }

  /** Heartbeats so far. */
  get heartbeats(): readonly Extract<FromRelay, { type: 'heartbeat' }>[] {
    return this.received.filter((message) => message.type === 'heartbeat');
  }

  /** Says something to every relay that is connected. */
  tell(message: FromGateway): void {
    for (const socket of this.#sockets) socket.send(JSON.stringify(message));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  #accept(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString()) as FromRelay; // A relay of ours speaks.
      this.received.push(message);
      const { welcome = { revoked: [], kids: [] }, insteadOfWelcome, aheadMs = 0 } = this.options;
      const answer: FromGateway =
        message.type === 'register'
          ? { type: 'welcome', ...welcome }
          : { type: 'ack', seq: message.seq, at: Math.floor(Date.now() + aheadMs) };
      socket.send(insteadOfWelcome ?? JSON.stringify(answer));
    });
  }
}
