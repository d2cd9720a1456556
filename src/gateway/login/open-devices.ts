import type { Connections } from '../caller.js';
import type { RoomContext } from '../rooms.js';
import type { ProvenDevice } from './device-proof.js';

type OpenContext = Pick<RoomContext, 'bus' | 'connections' | 'settings'>;

/** How long other replicas have to say what they have: one that has just died must not hold up every login. */
const CONNECTIONS_TIMEOUT_MS = 1_000;

/**
 * Whether other devices of the account have as many connections as it may have, at all replicas together. A connection
 * of the same device is about to give way. What opens at the same moment elsewhere is counted by the next login.
 */
export async function hasTooManyConnections(
  { bus, connections, settings }: OpenContext,
  { account, device }: Pick<ProvenDevice, 'account' | 'device'>,
): Promise<boolean> {
  const { socketsPerAccount } = settings().rateLimits;
  const here = otherDevices(connections, account, device);
  if (here >= socketsPerAccount) return true;
  const question = { type: 'connections', account, device } as const;
  const answers = await bus.askAll(question, CONNECTIONS_TIMEOUT_MS);
  const elsewhere = answers.map(({ open }) => (typeof open === 'number' ? open : 0));
  return elsewhere.reduce((sum, count) => sum + count, here) >= socketsPerAccount;
}

/** Connections that are open here of devices of `account` other than `device`. */
export const otherDevices = (connections: Connections, account: string, device: string): number =>
  connections.of(account).filter(({ caller }) => caller.device !== device).length;
