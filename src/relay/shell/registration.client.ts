/*
 * One registration with its socket: a WebSocket over TLS 1.3 with both certificates. The gateway is whom the directory
 * names and nobody else: its chain leads to the authority in gateways.json (never to those of the machine), its URI is
 * its identity, its name is the host that was dialled, its dates hold.
 */
import { isIP, type LookupFunction } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { WebSocket, type ClientOptions } from 'ws';
import {
  MAX_FROM_GATEWAY_BYTES,
  RELAY_REGISTRY_PATH,
  RELAY_REGISTRY_PROTOCOL,
} from '../../messages/relay-registry.js';
import type { RelayGateway } from '../settings.js';
import type { Leaf } from './leaf.js';
import {
  isIdentity,
  refusedEndpointOf,
  WRONG_IDENTITY_CODE,
  type RefusedEndpoint,
} from './peer-identity.js';
import {
  Registration,
  type Moment,
  type Registrant,
  type RegistrationAction,
  type RelayState,
} from './registration.js';

/** How long TCP, TLS and upgrade may take together. */
const DIAL_WITHIN_MS = 5_000;
/** How long a farewell may take. */
const CLOSE_WITHIN_MS = 1_000;

/** What a registration needs and tells. */
export interface RegistrationHost {
  readonly registrant: Registrant;
  now(): Moment;
  /** In [0, 1). */
  random(): number;
  leaf(): Leaf | undefined;
  state(): RelayState;
  registered(): void;
  /** `code` is that of the error, for the log. */
  failed(code: string): void;
  refused(why: RefusedEndpoint): void;
  revoke(jti: readonly string[], kids: readonly string[]): void;
  drain(deadline: number): void;
}

/** Keeps one relay registered at one gateway until it is stopped. */
export class RegistrationClient {
  readonly registration: Registration;
  #socket: WebSocket | undefined;

  constructor(
    private readonly gateway: RelayGateway,
    private readonly host: RegistrationHost,
  ) {
    this.registration = new Registration(host.registrant);
  }

  /** Time passes; to be called several times a second. */
  tick(): void {
    const leaf = this.host.leaf();
    // Without a certificate nobody would let us in.
    if (!leaf) return;
    this.#do(this.registration.tick(this.host.now(), () => this.host.state()));
  }

  /** Says goodbye; resolves when the connection is gone, within a second. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        socket.terminate();
      }, CLOSE_WITHIN_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.close(1_000);
    });
  }

  #do(actions: readonly RegistrationAction[]): void {
    for (const action of actions) this.#act(action);
  }

  #act(action: RegistrationAction): void {
    switch (action.kind) {
      case 'dial':
        this.#dial();
        return;
      case 'send':
        this.#socket?.send(JSON.stringify(action.message));
        return;
      case 'close':
        if (action.why === 'message') this.host.refused('wrong-message');
        this.#socket?.terminate();
        return;
      case 'registered':
        this.host.registered();
        return;
      case 'revoke':
        this.host.revoke(action.jti, action.kids);
        return;
      case 'drain':
        this.host.drain(action.deadline);
    }
  }

  #dial(): void {
    const leaf = this.host.leaf();
    if (!leaf) return;
    try {
      this.#socket = this.#open(leaf);
    } catch (error) {
      // What `ws` and node:tls throw of what the files hold must not end a relay that forwards.
      this.host.failed((error as { readonly code?: string }).code ?? 'ERR_DIAL');
      this.registration.closed(this.host.now(), this.host.random());
      return;
    }
    this.#listen(this.#socket);
  }

  #open(leaf: Leaf): WebSocket {
    const { host, port } = this.gateway;
    const name = host.includes(':') ? `[${host}]` : host;
    const url = `wss://${name}:${port}${RELAY_REGISTRY_PATH}`;
    return new WebSocket(url, RELAY_REGISTRY_PROTOCOL, this.#options(leaf));
  }

  #options({ certificate, key }: Leaf): ClientOptions {
    const { identity, caCertificates, address } = this.gateway;
    return {
      ...(address === undefined ? {} : { lookup: alwaysTo(address) }),
      cert: certificate,
      key,
      ca: [...caCertificates],
      minVersion: 'TLSv1.3',
      rejectUnauthorized: true,
      // The types of `ws` say something older: it hands the function to node:tls as it is.
      checkServerIdentity: ((host: string, peer: PeerCertificate) =>
        checkPeer(host, peer, identity)) as unknown as NonNullable<
        ClientOptions['checkServerIdentity']
      >,
      handshakeTimeout: DIAL_WITHIN_MS,
      maxPayload: MAX_FROM_GATEWAY_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    };
  }

  #listen(socket: WebSocket): void {
    socket.on('open', () => {
      this.#do(this.registration.opened(this.host.now(), this.host.state()));
    });
    socket.on('message', (message, isBinary) => {
      // A Buffer is what `ws` gives unless it is told otherwise.
      const text = isBinary ? '' : (message as Buffer).toString('utf8');
      this.#do(this.registration.received(text, this.host.now()));
    });
    socket.on('error', (error: Error & { readonly code?: string }) => {
      const refused = refusedEndpointOf(error.code) ?? refusedByWebSocket(error);
      if (refused) this.host.refused(refused);
      else this.host.failed(error.code ?? error.name);
    });
    socket.on('close', () => {
      this.registration.closed(this.host.now(), this.host.random());
    });
  }
}

/** Resolves every name to one address: where the settings know better than DNS. */
function alwaysTo(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/** What is wrong with the peer; both its name and its URI have to be right. */
function checkPeer(host: string, peer: PeerCertificate, identity: string): Error | undefined {
  if (!isIdentity(peer.subjectaltname, identity))
    return Object.assign(
      new Error('the URI of the certificate is not the identity of the gateway'),
      {
        code: WRONG_IDENTITY_CODE,
      },
    );
  return checkServerIdentity(host, peer);
}

/** `ws` names its errors of the protocol by codes of its own, and those of the upgrade by nothing but their text. */
function refusedByWebSocket({ code, message }: Error & { readonly code?: string }) {
  if (code?.startsWith('WS_ERR_')) return 'wrong-message';
  return code === undefined &&
    /^(Unexpected server response|Server sent|Invalid Upgrade|Invalid Sec-WebSocket)/.test(message)
    ? 'wrong-protocol'
    : undefined;
}
