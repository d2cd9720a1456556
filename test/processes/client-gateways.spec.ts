import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewayEntry } from '../../src/client/endpoint.library.js';
import { TcpService } from '../storage/tcp-service.js';
import { ClientBed, type Person } from './client-bed.js';
import { HOST } from './gateway-process.js';

let bed: ClientBed;
/** Two ways to one gateway, as to two replicas of it: sessions are in what they share. */
let first: TcpService;
let second: TcpService;
let alice: Person | undefined;
beforeEach(async () => {
  bed = await ClientBed.start(0);
  first = await TcpService.start([bed.gateway.port]);
  second = await TcpService.start([bed.gateway.port]);
});
afterEach(async () => {
  await alice?.client.close();
  await first.stop().catch(() => undefined);
  await second.stop();
  await bed.stop();
});

const urlOf = ({ port }: TcpService): string => `wss://${HOST}:${port}`;

/** Alice connects, her first address goes, and she is connected again; gives whether that was in the same session. */
async function keepsSession(gateways: readonly GatewayEntry[]): Promise<boolean> {
  alice = await bed.person('alice', { gateways });
  const before = await alice.client.connect();
  expect(before.session).toBeDefined();
  await first.stop();
  const at = `${HOST}:${second.port}`;
  const [, after] = await alice.heard.heard('connected', (gateway) => gateway === at);
  // Who comes with the token of a session gets no other one.
  return after.session === undefined;
}

describe('a client whose gateway has several addresses', () => {
  it('goes on in its session at the next one, when they are named as replicas', async () => {
    const pins = [await bed.pin()];
    const replicas = [urlOf(second)];
    expect(await keepsSession([{ url: urlOf(first), replicas, pins }])).toBe(true);
    expect(alice?.heard.all('away')).toHaveLength(1);
  });

  it('shows the token of a session to nobody else: two gateways have two sessions', async () => {
    const pins = [await bed.pin()];
    const gateways = [first, second].map((each) => ({ url: urlOf(each), pins }));
    expect(await keepsSession(gateways)).toBe(false);
  });
});
