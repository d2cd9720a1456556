/*
 * What is no gateway, or one that says what ours never says at that moment: a WebSocket over mutual TLS that keeps what
 * relays say and says what a test wants. How relays and the gateway's own registry get on is in gateway-registry.spec.ts.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
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
  /** What is sent in the place of a welcome. */
  readonly insteadOfWelcome?: string;
}

/** A listening stand-in. */
export class GatewayStandIn {
  /** Messages of relays in the order in which they came. */
  readonly received: FromRelay[] = [];
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
    server.listen(0, '127.0.0.1');
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
      const { insteadOfWelcome } = this.options;
      const answer: FromGateway =
        message.type === 'register'
          ? { type: 'welcome', revoked: [], kids: [] }
          : { type: 'ack', seq: message.seq, at: Date.now() };
      socket.send(insteadOfWelcome ?? JSON.stringify(answer));
    });
  }
}
