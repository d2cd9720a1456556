/*
 * A stranger who has captured somebody's lease and presents it to the relay (threats, T3): with a key of his own, since
 * the one that the lease names never leaves its holder. Then the holder does the same, to show that the lease is good.
 */
import { createSocket, type Socket } from 'node:dgram';
import { LeaseProof, type LeaseFields } from '../client/lease-proof.js';
import type { CryptoContext } from '../protocol/key-store.js';
import { decodeRelayFrame } from '../protocol/relay/frames.js';

/** What a relay says to somebody who presents a lease. */
export type Presented = 'proven' | 'refused' | 'no answer';

/** A relay's UDP address. */
export interface RelayAddress {
  readonly address: string;
  readonly port: number;
}

const ANSWER_WITHIN_MS = 1_500;

/** Presents `lease` from a new socket. `random` gives the nonce. */
export async function presentLease(
  context: CryptoContext,
  lease: LeaseFields,
  { address, port }: RelayAddress,
  random: (bytes: number) => Uint8Array,
): Promise<Presented> {
  const proof = new LeaseProof(context, lease);
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    const nonce = random(16);
    const send = (bytes: Uint8Array) => {
      socket.send(bytes, port, address);
    };
    send(proof.hello(nonce));
    const cookie = await answer(socket, (frame) => frame.type === 'cookie');
    if (typeof cookie === 'string' || cookie.type !== 'cookie') return 'no answer';
    send(proof.prove(nonce, cookie.cookie));
    const last = await answer(socket, ({ type }) => type === 'proved' || type === 'refused');
    if (typeof last === 'string') return 'no answer';
    return last.type === 'proved' ? 'proven' : 'refused';
  } finally {
    proof.close();
    socket.close();
  }
}

type Frame = Exclude<ReturnType<typeof decodeRelayFrame>, string>;

/** The first frame that is wanted; the rest is ignored. */
function answer(socket: Socket, wanted: (frame: Frame) => boolean): Promise<Frame | 'none'> {
  return new Promise((resolve) => {
    const done = (outcome: Frame | 'none') => {
      clearTimeout(timer);
      socket.off('message', take);
      resolve(outcome);
    };
    const take = (bytes: Uint8Array) => {
      const frame = decodeRelayFrame(bytes);
      if (typeof frame !== 'string' && wanted(frame)) done(frame);
    };
    const timer = setTimeout(() => {
      done('none');
    }, ANSWER_WITHIN_MS);
    socket.on('message', take);
  });
}
