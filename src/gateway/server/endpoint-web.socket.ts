/*
 * The WebSocket of an endpoint. Its listeners are the same five functions for all of them: a closure for each event of
 * each connection is memory that idle connections hold for nothing.
 */
import { WebSocket, type RawData } from 'ws';

/** What happens to a WebSocket. */
export interface WebSocketEvents {
  received(bytes: Buffer, isBinary: boolean): void;
  pinged(payload: Buffer): void;
  ponged(): void;
  failed(): void;
  closed(): void;
}

/** A WebSocket that tells one listener of everything. */
export class EndpointWebSocket extends WebSocket {
  #events: WebSocketEvents | undefined;

  /** From now on `events` hears what happens. To be called once. */
  listen(events: WebSocketEvents): void {
    this.#events = events;
    this.on('message', EndpointWebSocket.#received);
    this.on('ping', EndpointWebSocket.#pinged);
    this.on('pong', EndpointWebSocket.#ponged);
    this.on('error', EndpointWebSocket.#failed);
    this.on('close', EndpointWebSocket.#closed);
  }

  static #received(this: WebSocket, bytes: RawData, isBinary: boolean): void {
    // A Buffer is what `ws` gives unless it is told otherwise.
    if (#events in this) this.#events?.received(bytes as Buffer, isBinary);
  }

  static #pinged(this: WebSocket, payload: Buffer): void {
    if (#events in this) this.#events?.pinged(payload);
  }

  static #ponged(this: WebSocket): void {
    if (#events in this) this.#events?.ponged();
  }

  static #failed(this: WebSocket): void {
    if (#events in this) this.#events?.failed();
  }

  static #closed(this: WebSocket): void {
    if (#events in this) this.#events?.closed();
  }
}
