/*
 * Handshakes with a gateway as a client, and as clients that it has to refuse. No byte of ours goes out inside of TLS.
 */
import { connect as connectTcp, isIP } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { X509Certificate } from 'node:crypto';
import { SIGNALING_PATH } from '../../messages/signaling.js';
import type { Handshake, Observed } from './tls-posture.js';

const WITHIN_MS = 4_000;
const MAX_SERVED = 8;
const MAX_ANSWER_BYTES = 64;

/** Ciphers of every age, also those that OpenSSL leaves out: to be refused, something has to be offered. */
const OLD: ConnectionOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.2',
  ciphers: 'ALL:eNULL:@SECLEVEL=0',
};
const WEAK: ConnectionOptions = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_CCM_8_SHA256:ALL:@SECLEVEL=0',
};
const MODERN: ConnectionOptions = { minVersion: 'TLSv1.3' };

/** Where to dial, and the name to ask for. */
export interface Dialled {
  readonly host: string;
  readonly port: number;
  readonly address?: string;
}

/** Tries everything, one after the other: a gateway counts connections per address. */
export async function observe(at: Dialled): Promise<Observed> {
  const modern = await handshake(at, MODERN);
  if (modern.outcome === 'unreachable') return { modern, old: modern, weak: modern, plain: '' };
  return {
    modern,
    old: await handshake(at, OLD),
    weak: await handshake(at, WEAK),
    plain: await plainAnswer(at),
  };
}

function handshake({ host, port, address }: Dialled, how: ConnectionOptions): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connect({
      ...how,
      ...{ host: address ?? host, port, ALPNProtocols: ['http/1.1'] },
      ...(isIP(host) === 0 && { servername: host }),
      // Nobody is trusted here, and nothing is sent: what is shown is judged against the pins.
      ca: [],
      rejectUnauthorized: false,
    });
    let isConnected = false;
    const end = (result: Handshake): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const fail = (why: string): void => {
      end({ outcome: isConnected ? 'refused' : 'unreachable', why });
    };
    const timer = setTimeout(() => {
      fail('no answer in time');
    }, WITHIN_MS);
    socket.once('connect', () => (isConnected = true));
    socket.once('secureConnect', () => {
      end(established(socket));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      fail(error.code ?? 'error');
    });
    socket.once('close', () => {
      fail('connection closed');
    });
  });
}

function established(socket: TLSSocket): Handshake {
  const { name } = socket.getCipher();
  const protocol = socket.getProtocol() ?? 'unknown';
  return { outcome: 'established', protocol, cipher: name, served: servedBy(socket) };
}

function servedBy(socket: TLSSocket): readonly X509Certificate[] {
  const served: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && served.length < MAX_SERVED) {
    served.push(next);
    next = next.issuerCertificate;
  }
  return served;
}

/** The beginning of what is answered to an upgrade without TLS; empty if nothing is. */
function plainAnswer({ host, port, address }: Dialled): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: address ?? host, port });
    const end = (text: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(() => {
      end('');
    }, WITHIN_MS);
    socket.once('connect', () => socket.write(upgradeRequest(host)));
    socket.once('data', (bytes: Buffer) => {
      end(bytes.subarray(0, MAX_ANSWER_BYTES).toString('latin1'));
    });
    socket.on('error', () => {
      end('');
    });
    socket.once('close', () => {
      end('');
    });
  });
}

const upgradeRequest = (host: string): string =>
  [
    `GET ${SIGNALING_PATH} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    // The sample key of RFC 6455, section 1.3: nobody goes on with this connection.
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');
