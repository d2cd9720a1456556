/*
 * Certificates for hostile servers: a root, an authority below it, and leaves; and a server that keeps what it was sent.
 */
import {
  createHash,
  generateKeyPairSync,
  webcrypto,
  X509Certificate as NodeCertificate,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import { pause } from './relay-udp-endpoint.js';
import { GatewayLink, type LinkEnd } from '../../src/client/gateway/gateway.link.js';

// The types of the library are of the browser's Crypto, which node's is.
x509.cryptoProvider.set(webcrypto as never);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;

/** A certificate with its key. */
export interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** What a certificate says. */
export interface Wish {
  readonly name: string;
  readonly issuer?: Issued;
  readonly isAuthority?: boolean;
  readonly host?: string;
  /** From now; negative: it has ended. */
  readonly endsInMs?: number;
  readonly usage?: string;
  /** Of an authority. */
  readonly pathLength?: number;
  /** Of an authority, in DER, and further names of a leaf. */
  readonly constraints?: string;
  readonly address?: string;
}

let serial = 1;

/** Issues a certificate; without an issuer it signs itself. */
export async function issue(wish: Wish): Promise<Issued> {
  const { name, issuer, isAuthority = false, endsInMs = HOUR_MS } = wish;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (serial++).toString(16).padStart(4, '0'),
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() - 2 * HOUR_MS),
    notAfter: new Date(Date.now() + endsInMs),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: extensionsOf(wish, isAuthority),
  });
  return { certificate, keys };
}

function extensionsOf(wish: Wish, isAuthority: boolean): x509.Extension[] {
  const { host, usage, pathLength, constraints, address } = wish;
  return [
    new x509.BasicConstraintsExtension(isAuthority, pathLength, true),
    ...(host === undefined
      ? []
      : [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: host },
            ...(address === undefined ? [] : [{ type: 'ip', value: address } as const]),
          ]),
        ]),
    ...(constraints === undefined
      ? []
      : [new x509.Extension('2.5.29.30', true, Buffer.from(constraints, 'hex'))]),
    ...(usage === undefined ? [] : [new x509.ExtendedKeyUsageExtension([usage])]),
  ];
}

export const pinOf = ({ certificate }: Issued): string =>
  pinOfCertificate(new NodeCertificate(Buffer.from(certificate.rawData)));

/** A pin of a key that nobody has here. */
export const otherPin = (): string => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
};

/** A TLS server that never answers, and keeps what it reads after the handshake. */
export class SilentServer {
  readonly read: Buffer[] = [];

  private constructor(readonly server: Server) {
    server.on('secureConnection', (socket) => {
      socket.on('data', (bytes) => this.read.push(bytes));
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
  }

  /** Shows `chain`, the leaf first. */
  static async start(chain: readonly Issued[], options: TlsOptions = {}): Promise<SilentServer> {
    const [leaf] = chain;
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', leaf!.keys.privateKey));
    const server = createServer({
      cert: chain.map(({ certificate }) => certificate.toString('pem')).join('\n'),
      key: `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`,
      ...options,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SilentServer(server);
  }

  get port(): number {
    return (this.server.address() as { readonly port: number }).port;
  }

  /** Dials it with these pins: gives how that ends, or `asked` once the upgrade was sent. */
  async dialled(pins: readonly string[], host = 'localhost'): Promise<LinkEnd | 'asked'> {
    const gateway = `${host}:${this.port}`;
    const place = { host, port: this.port, pins, viaIngress: false, gateway };
    const ended = Promise.withResolvers<LinkEnd>();
    const link = new GatewayLink(
      place,
      { open: () => undefined, text: () => undefined, ended: ended.resolve },
      () => Date.now(),
    );
    let end: LinkEnd | undefined;
    void ended.promise.then((why) => (end = why));
    while (end === undefined && this.read.length === 0) await pause(5);
    // What was sent before the end may still be on its way.
    if (end !== undefined) await pause(50);
    link.close();
    return end ?? 'asked';
  }

  async stop(): Promise<void> {
    this.server.close();
    await once(this.server, 'close').catch(() => undefined);
  }
}
