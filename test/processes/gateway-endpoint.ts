/*
 * A client of a gateway as tests need one: it can say everything by hand, from the first byte of TLS on, and can log in.
 */
import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { WebSocket, type ClientOptions } from 'ws';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import {
  SIGNALING_PATH,
  SIGNALING_PROTOCOL,
  type Login,
  type ToEndpoint,
} from '../../src/messages/signaling.js';
import { loginSigningInput } from '../../src/protocol/identity/login.js';
import type { Account } from '../identities.js';
import { HOST } from './gateway-process.js';

const WITHIN_MS = 15_000;

/** Where a gateway listens, and the authority of its certificate. */
export interface GatewayPlace {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly address?: string;
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** A TLS connection to the gateway after its handshake. */
export async function tlsTo(
  { port, ca, address = '127.0.0.1' }: GatewayPlace,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ host: address, port, ca, servername: HOST, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(WITHIN_MS) });
  return socket;
}

/** Lines of an upgrade that is right; `change` replaces headers by name, undefined leaves one out. */
export function upgradeRequest(
  change: Readonly<Record<string, string | undefined>> = {},
  target = SIGNALING_PATH,
  method = 'GET',
): string {
  const headers: Record<string, string | undefined> = {
    Host: HOST,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': SIGNALING_PROTOCOL,
    ...change,
  };
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** Everything that the gateway sends on a raw connection until it ends it, or until a WebSocket is open. */
export async function answerTo(place: GatewayPlace, request: string): Promise<string> {
  const socket = await tlsTo(place);
  let text = '';
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) resolve();
    });
    socket.on('close', () => {
      resolve();
    });
    setTimeout(resolve, WITHIN_MS).unref();
  });
  socket.write(request);
  await done;
  socket.destroy();
  return text;
}

/** The status code of an answer; 0 if there was none. */
export const statusOf = (answer: string): number =>
  Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

/** One WebSocket to a gateway. */
export class TestEndpoint {
  readonly received: ToEndpoint[] = [];
  /** Close code and reason, once it is closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  isClosed = false;
  #waiting: (() => void)[] = [];
  #taken = 0;
  #id = 0;

  private constructor(
    readonly socket: WebSocket,
    readonly tls: TLSSocket,
  ) {
    socket.on('error', () => undefined);
    socket.on('message', (bytes) => {
      this.received.push(JSON.parse((bytes as Buffer).toString()) as ToEndpoint);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.isClosed = true;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
  }

  /** Connects; the challenge is on its way. */
  static async open(
    place: GatewayPlace,
    options: ClientOptions & { readonly tls?: ConnectionOptions } = {},
  ): Promise<TestEndpoint> {
    const tls = await tlsTo(place, options.tls);
    const socket = new WebSocket(
      `wss://${HOST}:${place.port}${SIGNALING_PATH}`,
      SIGNALING_PROTOCOL,
      {
        perMessageDeflate: false,
        createConnection: () => tls,
        ...options,
      },
    );
    const endpoint = new TestEndpoint(socket, tls);
    await once(socket, 'open', { signal: AbortSignal.timeout(WITHIN_MS) });
    return endpoint;
  }

  /** Connects and logs in. */
  static async login(place: GatewayPlace, account: Account): Promise<TestEndpoint> {
    const endpoint = await TestEndpoint.open(place);
    await endpoint.login(account);
    return endpoint;
  }

  /** Logs in; gives what the gateway says to it. */
  async login(account: Account, change: Partial<Login> = {}): Promise<ToEndpoint> {
    const first = await this.next();
    this.send({ ...loginMessage(account, first, this.tls), ...change });
    return this.next();
  }

  /** Any message. */
  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends a request; gives its answer. */
  async request(name: string, body: object = {}): Promise<ToEndpoint> {
    const id = ++this.#id;
    this.send({ type: 'request', id, name, body });
    return this.until((message) => message.type === 'answer' && message.id === id);
  }

  /** The next message that was not taken yet. */
  async next(): Promise<ToEndpoint> {
    const at = this.#taken++;
    await this.#arrived(() => this.received[at] !== undefined);
    return this.received[at]!;
  }

  /** The first message that `holds`, now or later. */
  async until(holds: (message: ToEndpoint) => boolean): Promise<ToEndpoint> {
    await this.#arrived(() => this.received.some(holds));
    return this.received.find(holds)!;
  }

  /** Cuts the connection. */
  cut(): void {
    this.tls.destroy();
  }

  async #arrived(holds: () => boolean): Promise<void> {
    const end = Date.now() + WITHIN_MS;
    while (!holds()) {
      if (this.isClosed || Date.now() > end)
        throw new Error(`no message: ${JSON.stringify(this.received).slice(0, 500)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, WITHIN_MS);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** The login of `account` on the connection `tls`, in answer to the challenge in `first`. */
export function loginMessage(
  account: Pick<Account, 'binding' | 'deviceSeed'>,
  first: ToEndpoint,
  tls: TLSSocket,
): Login {
  const challenge = 'challenge' in first ? first.challenge : '';
  const exporter = tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  const signed = loginSigningInput({
    host: HOST,
    challenge: Buffer.from(challenge, 'base64url'),
    exporter,
  });
  return {
    type: 'login',
    host: HOST,
    binding: 1,
    device: base64url(account.binding),
    revocations: [],
    signature: base64url(nodeBackend.ed25519Sign(account.deviceSeed, signed)),
  };
}
