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
const MOVE = 0x23;

let folder: RelayFolder;
let relay: RelayProcess | undefined;
beforeEach(async () => {
  folder = await RelayFolder.make();
  await folder.writeSettings();
  await folder.writeDirectory([directoryGateway('edge/main', [gateway.key()])]);
  await folder.writeLeaf(authority.leaf(POOL_IDENTITY));
});
afterEach(async () => {
  await relay?.kill();
  await folder.remove();
});

async function ready(): Promise<RelayProcess> {
  relay = await RelayProcess.run(folder);
  await relay.answers(200, /^ready$/m);
  return relay;
}

describe('a relay that gets SIGTERM', () => {
  it('T19: forwards every packet of its sessions until they move, takes no new ones, and ends', async () => {
    const running = await ready();
    const { child, ended } = running;
    const [one, two, late] = await Promise.all([1, 2, 3].map(() => Endpoint.open(running.port)));
    const sid = aSession();
    await one!.prove(gateway.lease(sid, 'client'));
    await two!.prove(gateway.lease(sid, 'server'));
    const sent: number[] = [];
    const got: number[] = [];
    const send = () => {
      const payload = Buffer.alloc(600);
      payload.writeUInt32BE(sent.length);
      sent.push(sent.length);
      one!.send(forward(sid, payload));
    };
    const take = () => {
      for (const frame of two!.received.splice(0))
        if (frame[2] === 0x10) got.push(frame.readUInt32BE(20));
    };
    const timer = setInterval(send, 1);
    const taking = setInterval(take, 5);
    await pause(300);
    child.kill('SIGTERM');
    expect(await running.answers(200, /^draining$/m)).toBe('draining\n');
    await one!.next((frame) => frame[2] === MOVE);
    const refused = await late!.prove(gateway.lease(aSession(), 'client'));
    expect([refused[2], refused[37]]).toEqual([0x26, 18]);
    await pause(2_000);
    // Here the sessions move: nothing is sent any more on the old path.
    clearInterval(timer);
    await until('everything has arrived', () => {
      take();
      return got.length === sent.length;
    });
    clearInterval(taking);
    expect(sent.length).toBeGreaterThan(500);
    expect(got).toEqual(sent);
    expect(child.exitCode).toBeNull();
    // drain.seconds is 10: with a session that never says BYE it ends then.
    expect(await ended).toBe(0);
    for (const each of [one, two, late]) each!.close();
  });

  it('ends soon when it has no sessions', async () => {
    const { child, ended } = await ready();
    const since = Date.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(Date.now() - since).toBeLessThan(8_000);
  });

  it('ends at once at a second signal', async () => {
    const running = await ready();
    const endpoint = await Endpoint.open(running.port);
    await endpoint.prove(gateway.lease(aSession(), 'client'));
    running.child.kill('SIGTERM');
    await running.answers(200, /^draining$/m);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(143);
    endpoint.close();
  });

  it('drains at SIGUSR2 too, which no kubelet sends', async () => {
    const { child, ended } = await ready();
    child.kill('SIGUSR2');
    expect(await ended).toBe(0);
    expect(relay!.stdout).toMatch(/"action":"relay.drain","outcome":"success","reason":"Command"/);
  });
});

describe('a relay whose files are not as they have to be', () => {
  it.each([
    ['everybody may read', 0o444],
    ['everybody may write', 0o442],
    ['has the mode of other files', 0o644],
  ])('S176: stops at a private key file that %s, and says what to do', async (_, mode) => {
    await folder.writeLeaf(authority.leaf(POOL_IDENTITY), mode);
    relay = await RelayProcess.run(folder);
    expect(await relay.ended).toBe(78);
    expect(relay.stderr).toMatch(/mode 0440 or 0400.*tls\.key has mode 0\d{3}: others/);
    expect(relay.stderr).not.toContain('PRIVATE KEY');
  });

  it('S25: is not ready without lease keys, with the reason, and becomes ready when they come', async () => {
    await folder.writeDirectory([]);
    relay = await RelayProcess.run(folder);
    await relay.answers(503, /names no gateway/);
    await folder.writeDirectory([directoryGateway('edge/main', [])]);
    await relay.answers(503, /holds no lease key/);
    await folder.writeDirectory([directoryGateway('edge/main', [gateway.key({ notAfterMs: 1 })])]);
    await relay.answers(503, /no lease key in gateways.json is valid now/);
    await folder.writeDirectory([directoryGateway('edge/main', [gateway.key()])]);
    await relay.answers(200, /^ready$/m);
    expect(relay.child.exitCode).toBeNull();
  });

  it('S25: is not ready with a wrong lease key from the start, and does not exit', async () => {
    const wrong = gateway.key({ kid: 'A'.repeat(22) });
    await folder.writeDirectory([directoryGateway('edge/main', [wrong])]);
    relay = await RelayProcess.run(folder);
    expect(await relay.answers(503, /does not have the id of its key/)).toContain('edge/main');
    expect((await relay.page('/livez')).status).toBe(200);
  });

  it.each([
    ['is unknown', () => ({ insecure: true }), 78, /insecure/],
    [
      'is out of bounds',
      () => ({ drain: { seconds: 1 } }),
      78,
      /drain\.seconds=1 is not a whole number from 10 to 3600/,
    ],
    [
      'contradicts another one',
      () => ({
        capacity: { maxSessions: 10, softKbpsPerSession: 6_400, hardKbpsPerSession: 64 },
      }),
      78,
      /softKbpsPerSession=6400 is above capacity\.hardKbpsPerSession=64/,
    ],
  ])('stops at a setting that %s, and names it', async (_, change, code, problem) => {
    await folder.writeSettings((settings) => ({ ...settings, ...change() }));
    relay = await RelayProcess.run(folder);
    expect(await relay.ended).toBe(code);
    expect(relay.stderr).toMatch(problem);
  });

  it('S24: stops at a flag, a variable and an option of Node that ask for less', async () => {
    const attempts: readonly [readonly string[], NodeJS.ProcessEnv, number][] = [
      [['--insecure'], {}, 64],
      [[], { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, 78],
      [[], { NODE_OPTIONS: '--tls-min-v1.0' }, 78],
    ];
    for (const [args, env, code] of attempts) {
      const run = await RelayProcess.run(folder, { args, env });
      expect(await run.ended).toBe(code);
      expect(run.stderr).toContain('there is no insecure mode');
    }
  });
});
