/*
 * Accounts as the bench logs them in. They are new ones: open registration takes them at their first login.
 */
import { randomBytes } from 'node:crypto';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { ToEndpoint } from '../../src/messages/signaling.js';
import { signDeviceBinding } from '../../src/protocol/identity/device-binding.js';
import { keyPairOf } from '../identities.js';
import { loginMessage } from '../processes/gateway-endpoint.js';
import { LoadSocket, textFrame, type Place } from './gateway-socket.js';

const DAY_MS = 86_400_000;

/** What it takes to log in. */
export interface BenchAccount {
  readonly deviceSeed: Uint8Array;
  readonly binding: Uint8Array;
}

/** A new account with one device. */
export function benchAccount(): BenchAccount {
  const [identitySeed, deviceSeed] = [randomBytes(32), randomBytes(32)];
  const binding = signDeviceBinding(nodeBackend, identitySeed, {
    identity: nodeBackend.ed25519PublicKey(identitySeed),
    deviceId: randomBytes(16),
    ed25519: nodeBackend.ed25519PublicKey(deviceSeed),
    x25519: keyPairOf(randomBytes(32)).publicKey,
    notBeforeMs: Date.now() - DAY_MS,
    notAfterMs: Date.now() + DAY_MS,
    serial: 1n,
  });
  return { deviceSeed, binding };
}

/** Some of them. */
export const benchAccounts = (count: number): readonly BenchAccount[] =>
  Array.from({ length: count }, benchAccount);

/** A connection of `account` that is logged in, from the loopback address of `index`. @throws Error if it is refused. */
export async function enter(
  place: Place,
  account: BenchAccount,
  index: number,
): Promise<LoadSocket> {
  const socket = await LoadSocket.open(place, index);
  // The gateway sends its own schema's messages.
  const challenge = JSON.parse(await socket.next()) as ToEndpoint;
  socket.write(textFrame(JSON.stringify(loginMessage(account, challenge, socket.tls))));
  const answer = JSON.parse(await socket.next()) as ToEndpoint; // As above.
  if (answer.type !== 'welcome') throw new Error(`not logged in: ${JSON.stringify(answer)}`);
  return socket;
}

/** Runs `work` for each of `count` numbers, `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, one));
}
