import type { Bus } from '../bus.js';
import { toBase64url } from '../../protocol/lease/base64url.js';

/** Bytes of a replica's name: nobody else on the bus has the same one by chance. */
export const REPLICA_BYTES = 16;

/** The bus of a gateway that is one process: there is nobody to tell, and nobody who could answer. */
export function createInProcessBus(random: (bytes: number) => Uint8Array): Bus {
  return {
    replica: toBase64url(random(REPLICA_BYTES)),
    connected: true,
    replicas: 1,
    areAllHeard: true,
    onJoin: () => undefined,
    tell: () => undefined,
    ask: () => Promise.resolve(undefined),
    askAll: () => Promise.resolve([]),
    onMessage: () => undefined,
    close: () => Promise.resolve(),
  };
}
