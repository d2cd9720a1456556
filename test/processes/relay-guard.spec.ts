import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
  TestAuthority,
} from './relay-shell-bed.js';
import { aSession, forward, TestGateway } from './relay-udp-bed.js';
import { Endpoint, pause, until } from './relay-udp-endpoint.js';

const authority = new TestAuthority();
const gateway = new TestGateway();

let folder: RelayFolder;
let relay: RelayProcess;
let ends: Endpoint[] = [];
beforeEach(async () => {
  folder = await RelayFolder.make();
  await folder.writeSettings();
  await folder.writeDirectory([directoryGateway('edge/main', [gateway.key()])]);
  await folder.writeLeaf(authority.leaf(POOL_IDENTITY));
  relay = await RelayProcess.run(folder);
});
afterEach(async () => {
  for (const end of ends) end.close();
  ends = [];
  await relay.kill();
  await folder.remove();
});

/** A session through the relay; gives what carries one datagram from one side to the other. */
async function aTalk(): Promise<() => Promise<void>> {
  await relay.answers(200, /^ready$/m);
  const sid = aSession();
  const [one, two] = [await Endpoint.open(relay.port), await Endpoint.open(relay.port)];
  ends = [one, two];
  await one.prove(gateway.lease(sid, 'client'));
  await two.prove(gateway.lease(sid, 'server'));
  return async () => {
    const frame = forward(sid, Buffer.alloc(100, 7));
    one.send(frame);
    expect((await two.next()).equals(frame)).toBe(true);
  };
}

describe('a relay that forwards', () => {
  it('S24: opens no debugger at the signal at which Node does', async () => {
    const carries = await aTalk();
    relay.child.kill('SIGUSR1');
    await pause(1_000);
    await carries();
    expect(relay.stderr).not.toMatch(/debugger/i);
  });

  it('goes on when nobody takes its log and its audit trail any more, and counts that', async () => {
    const carries = await aTalk();
    relay.child.stdout?.destroy();
    relay.child.stderr?.destroy();
    await folder.writeDirectory([
      directoryGateway('edge/other', []),
      directoryGateway('edge/main', [gateway.key()]),
    ]);
    const series = 'sallyport_relay_lost_output_total';
    const since = Date.now();
    while (((await relay.metric(series)) ?? 0) === 0 && Date.now() - since < 20_000)
      await pause(100);
    expect(await relay.metric(series)).toBeGreaterThan(0);
    await carries();
  });

  it('goes on when the directory begins to name a host that is none, and says so', async () => {
    const carries = await aTalk();
    const over = { host: 'a b', caCertificates: [authority.certificate] };
    await folder.writeDirectory([directoryGateway('edge/main', [gateway.key()], over)]);
    expect(await relay.answers(200, /^ready\ngateways: kept/)).toMatch(
      /host of gateway edge\/main/,
    );
    await carries();
  });

  it('goes on with the leaf before when the rest of a chain is broken, and says so', async () => {
    const carries = await aTalk();
    const { certificate, key } = authority.leaf(POOL_IDENTITY);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    await folder.writeLeaf({ certificate: certificate + broken, key });
    expect(await relay.answers(200, /tls: kept/)).toMatch(/holds no chain for TLS 1\.3/);
    await carries();
  });
});

describe('a relay that is about to start', () => {
  it('ends in order at a signal that comes before it has started', async () => {
    await until('its worker listens', () => relay.stderr.includes('packet worker listens'));
    relay.child.kill('SIGTERM');
    expect(await relay.ended).toBe(0);
  });
});
