/*
 * Asks relays with STUN how they see this machine, and how long a datagram may be on the way to them.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { localCandidates, textOfCandidate } from '../../client/contacts/local.addresses.js';
import type { SeenAddress } from '../../protocol/relay/address.js';
import type { Finding } from './finding.js';
import { DATAGRAM_BYTES, judgeMtu, judgeNat, type Sight } from './nat.js';
import { bindingRequest, seenIn, TRANSACTION_BYTES } from './stun.js';

const TRIES = 3;
const ANSWER_WITHIN_MS = 700;
/** Longer than any answer, so that a relay gives one. */
const SHORT_REQUEST_BYTES = 96;

/** A relay's UDP port. */
export interface RelayPort {
  readonly host: string;
  readonly port: number;
}

/** Findings about NAT and MTU. */
export async function probeRelays(relays: readonly RelayPort[]): Promise<readonly Finding[]> {
  const resolved = await Promise.all(relays.map(resolve));
  const [first] = resolved;
  if (first === undefined) return [];
  // One socket, as a session has one: the relays have to be of the family of the first.
  const isV6 = isIPv6(first.host);
  const alike = resolved.filter(({ host }) => isIPv6(host) === isV6);
  const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4' });
  socket.on('error', () => undefined);
  const bind = isV6 ? '::' : '0.0.0.0';
  socket.bind(0, bind);
  await once(socket, 'listening');
  try {
    const sights: Sight[] = [];
    for (const relay of alike) sights.push(await sight(socket, relay));
    const loopback = isV6 ? '::1' : '127.0.0.1';
    const { port } = socket.address();
    const own = [...localCandidates(bind, port), ...localCandidates(loopback, port)].map(nameOf);
    const nat = judgeNat(sights, own);
    const answering = alike[sights.findIndex(({ seen }) => seen !== undefined)];
    return [nat, judgeMtu(answering && (await largest(socket, answering)))];
  } finally {
    socket.close();
  }
}

const nameOf = (seen: SeenAddress): string => `${textOfCandidate(seen)} ${seen.port}`;

async function resolve({ host, port }: RelayPort): Promise<RelayPort> {
  return { host: (await lookup(host)).address, port };
}

async function sight(socket: Socket, relay: RelayPort): Promise<Sight> {
  const seen = await ask(socket, relay, SHORT_REQUEST_BYTES);
  return { relay: `${relay.host}:${relay.port}`, seen: seen && nameOf(seen) };
}

async function largest(socket: Socket, relay: RelayPort): Promise<number | undefined> {
  for (const bytes of DATAGRAM_BYTES)
    if ((await ask(socket, relay, bytes)) !== undefined) return bytes;
  return undefined;
}

async function ask(
  socket: Socket,
  relay: RelayPort,
  bytes: number,
): Promise<SeenAddress | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const transaction = randomBytes(TRANSACTION_BYTES);
    const answer = answerTo(socket, transaction);
    socket.send(bindingRequest(transaction, bytes), relay.port, relay.host, () => undefined);
    const seen = await answer;
    if (seen !== undefined) return seen;
  }
  return undefined;
}

function answerTo(socket: Socket, transaction: Uint8Array): Promise<SeenAddress | undefined> {
  return new Promise((resolve) => {
    const end = (seen: SeenAddress | undefined): void => {
      clearTimeout(timer);
      socket.off('message', take);
      resolve(seen);
    };
    const take = (bytes: Buffer): void => {
      const seen = seenIn(bytes, transaction);
      if (seen !== undefined) end(seen);
    };
    const timer = setTimeout(() => {
      end(undefined);
    }, ANSWER_WITHIN_MS);
    socket.on('message', take);
  });
}
