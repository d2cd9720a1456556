import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { places, sha256 } from '../../../test/processes/gateway-leases-bed.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { leaseKeyId } from '../../protocol/lease/ids.js';
import { SILENT_LOGGER } from '../../runtime/log.js';
import { WatchedFiles } from '../../runtime/watched.files.js';
import { publicKeys } from './lease-keys.js';
import { MountedLeaseFiles } from './mounted.files.js';
import { readRelayPlaces } from './relay-directory.js';

const NOW = Date.UTC(2026, 0, 1);
const instant = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

let folder: string;
let watched: WatchedFiles;
let loads: string[];
let files: MountedLeaseFiles;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-leases-'));
  loads = [];
  nowMs = NOW;
  watched = new WatchedFiles(3_600_000);
  files = new MountedLeaseFiles({
    paths: {
      keys: { directory: folder, indexFile: join(folder, 'keys.json') },
      relays: { directoryFile: join(folder, 'relays.json'), trustDirectory: folder },
    },
    rolesOf: () => [],
    log: SILENT_LOGGER,
    loaded: (file, outcome) => loads.push(`${file} ${outcome}`),
    unixMs: () => nowMs,
  });
  files.watch(watched);
});
afterEach(async () => {
  watched.stop();
  await rm(folder, { recursive: true });
});

interface TestKey {
  readonly kid: string;
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

function newKey(): TestKey {
  const { publicKey: key, privateKey } = generateKeyPairSync('ed25519');
  const publicKey = key.export({ type: 'spki', format: 'der' }).subarray(-32);
  return { kid: leaseKeyId(publicKey, sha256), publicKey, privateKey };
}

const fact = ({ kid, publicKey }: TestKey, state: string, changes: object = {}) => ({
  kid,
  public: Buffer.from(publicKey).toString('base64url'),
  notBefore: instant(NOW - 1_000),
  notAfter: instant(NOW + 3_600_000),
  publishedAt: instant(NOW - 1_000),
  state,
  ...changes,
});
const writeKey = async ({ kid, privateKey }: TestKey, mode = 0o440) => {
  const path = join(folder, `${kid}.pem`);
  await rm(path, { force: true });
  await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await chmod(path, mode);
};
const writeIndex = (...facts: unknown[]) =>
  writeFile(join(folder, 'keys.json'), `${JSON.stringify(facts)}\n`);
/** Whether the seed that is at hand signs for this key. */
const signs = ({ kid, publicKey }: TestKey): boolean => {
  const seed = files.keys()?.seedOf(kid);
  return seed !== undefined && Buffer.from(nodeBackend.ed25519PublicKey(seed)).equals(publicKey);
};

describe('the mounted lease keys', () => {
  it('are the ones that the index names, each with its private half', async () => {
    const [current, next, retired] = [newKey(), newKey(), newKey()];
    await writeKey(current);
    await writeKey(next);
    await writeIndex(fact(current, 'current'), fact(next, 'next'), fact(retired, 'retired'));
    await watched.look();
    expect([signs(current), signs(next), signs(retired)]).toEqual([true, true, false]);
    expect(files.keys()!.all.map(({ state }) => state)).toEqual(['current', 'next', 'retired']);
    expect(loads).toEqual(['lease-keys success', 'relays failure']);
  });

  it('S22: are also the one before, for a gateway that starts after a rotation, until that key ends', async () => {
    const [current, retired] = [newKey(), newKey()];
    for (const key of [current, retired]) await writeKey(key);
    const ends = { notAfter: instant(NOW + 1_800_000) };
    await writeIndex(fact(current, 'current'), fact(retired, 'retired', ends));
    await watched.look();
    expect([signs(current), signs(retired)]).toEqual([true, true]);
    nowMs = NOW + 1_800_000;
    await writeIndex(
      fact(current, 'current'),
      fact(retired, 'retired', ends),
      fact(newKey(), 'revoked'),
    );
    await watched.look();
    expect([signs(current), signs(retired)]).toEqual([true, false]);
  });

  it('stay as they were when the new content is wrong, whatever is wrong with it', async () => {
    const [current, other] = [newKey(), newKey()];
    await writeKey(current);
    await writeIndex(fact(current, 'current'));
    await watched.look();
    const bad: readonly (() => Promise<unknown>)[] = [
      () => writeFile(join(folder, 'keys.json'), '[{'),
      () => writeIndex(fact(other, 'current')),
      () => writeIndex(fact({ ...other, kid: current.kid }, 'current')),
      () => writeIndex(fact(current, 'current'), fact(current, 'retired')),
      () => writeIndex(fact(current, 'current', { notAfter: instant(NOW - 2_000) })),
      () => writeIndex(fact(current, 'current', { more: 1 })),
      async () => {
        await writeIndex(fact(current, 'current'), fact(other, 'next'));
        await writeKey({ ...newKey(), kid: other.kid });
      },
      async () => {
        await rm(join(folder, `${other.kid}.pem`));
        await writeFile(join(folder, `${other.kid}.pem`), 'no key', { mode: 0o600 });
      },
    ];
    for (const write of bad) {
      await write();
      loads = [];
      await watched.look();
      expect(loads).toContain('lease-keys failure');
      expect(files.keys()!.all).toHaveLength(1);
      expect(signs(current)).toBe(true);
    }
  });

  it('S22: keep the private half of a key that another one followed, until that key ends', async () => {
    const [first, second] = [newKey(), newKey()];
    await writeKey(first);
    await writeIndex(fact(first, 'current'));
    await watched.look();
    await rm(join(folder, `${first.kid}.pem`));
    await writeKey(second);
    const ends = { notAfter: instant(NOW + 1_800_000) };
    await writeIndex(fact(second, 'current'), fact(first, 'retired', ends));
    await watched.look();
    expect([signs(first), signs(second)]).toEqual([true, true]);
    nowMs = NOW + 1_800_000;
    await writeIndex(fact(second, 'current'));
    await watched.look();
    expect([signs(first), signs(second)]).toEqual([false, true]);
  });

  it('S33: lose the private half of a revoked key at once: it is overwritten', async () => {
    const [first, second] = [newKey(), newKey()];
    await writeKey(first);
    await writeIndex(fact(first, 'current'));
    await watched.look();
    const seed = files.keys()!.seedOf(first.kid)!;
    expect(Buffer.from(seed).equals(Buffer.alloc(32))).toBe(false);
    await writeIndex(fact(first, 'revoked'));
    await watched.look();
    expect(Buffer.from(seed).equals(Buffer.alloc(32))).toBe(true);
    await writeKey(second);
    await writeIndex(fact(second, 'current'), fact(first, 'revoked'));
    await watched.look();
    expect([signs(first), signs(second)]).toEqual([false, true]);
    files.erase();
    expect(files.keys()).toBeUndefined();
  });

  it.each([0o444, 0o644, 0o604, 0o602, 0o601])(
    'S176: are refused with mode %o: others may use the private half',
    async (mode) => {
      const key = newKey();
      await writeKey(key, mode);
      await writeIndex(fact(key, 'current'));
      await expect(files.refuseOpenKeys()).rejects.toMatchObject({
        code: 'ERR_SETTINGS_FILE',
        message: expect.stringMatching(
          /has mode 0\d{3}: others than its owner and group may use it/,
        ),
      });
      await watched.look();
      expect(files.keys()).toBeUndefined();
    },
  );

  it.each([0o400, 0o440, 0o600])('S176: are taken with mode %o', async (mode) => {
    const key = newKey();
    await writeKey(key, mode);
    await writeIndex(fact(key, 'current'));
    await files.refuseOpenKeys();
    await watched.look();
    expect(signs(key)).toBe(true);
  });

  it('are no reason to stop while they are not there, or wrong', async () => {
    await files.refuseOpenKeys();
    await writeIndex(fact(newKey(), 'current'));
    await files.refuseOpenKeys();
  });

  it('are told to endpoints without revoked and ended ones, eight at most, those that sign first', async () => {
    const current = newKey();
    await writeKey(current);
    const retired = Array.from({ length: 8 }, (_, i) =>
      fact(newKey(), 'retired', { notBefore: instant(NOW - 10_000 * (i + 2)) }),
    );
    const over = fact(newKey(), 'retired', {
      notAfter: instant(NOW),
      notBefore: instant(NOW - 9_000),
    });
    await writeIndex(...retired, fact(newKey(), 'revoked'), over, fact(current, 'current'));
    await watched.look();
    const told = publicKeys(files.keys()!.all, NOW);
    expect(told).toHaveLength(8);
    expect(told[0]).toEqual({
      kid: current.kid,
      publicKey: Buffer.from(current.publicKey).toString('base64url'),
      notBefore: NOW - 1_000,
      notAfter: NOW + 3_600_000,
    });
    expect(told.slice(1).map(({ kid }) => kid)).toEqual(retired.slice(0, 7).map(({ kid }) => kid));
  });
});

describe('relays.json', () => {
  const relay = { id: 'edge/eu/0', region: 'europe', address: '192.0.2.1', port: 3478 };

  it('gives the place of each relay, with a fallback only where a key can be checked', () => {
    const pins = [`sha256/${'A'.repeat(43)}=`];
    const known = places(0, {
      relays: [
        { ...relay, fallback: { port: 5349, pins } },
        { ...relay, id: 'edge/eu/1', fallback: { port: 5349, pins: [] } },
      ],
    });
    expect(known.placeOf('edge/eu/0')).toEqual({
      rid: 'edge/eu/0',
      region: 'europe',
      address: '192.0.2.1',
      port: 3478,
      fallback: { port: 5349, pins, identity: 'spiffe://test.sallyport/ns/edge/RelayPool/eu' },
    });
    expect(known.placeOf('edge/eu/1')).not.toHaveProperty('fallback');
    expect(known.placeOf('edge/eu/2')).toBeUndefined();
    expect(known.rids).toEqual(['edge/eu/0', 'edge/eu/1']);
  });

  it.each([
    [
      'a relay of a pool that is not permitted',
      { relays: [{ ...relay, id: 'edge/us/0' }] },
      'edge/us/0',
    ],
    ['an id that is none', { relays: [{ ...relay, id: 'edge/eu/00' }] }, 'no relay id'],
    ['a relay twice', { relays: [relay, relay] }, 'a relay twice'],
    ['a field that nobody knows', { relays: [], more: 1 }, 'more'],
  ])('is refused with %s', (_, changes, problem) => {
    expect(() => places(0, changes)).toThrow(problem);
  });

  it('is refused when it is not JSON', () => {
    expect(() => readRelayPlaces('{', 'relays.json')).toThrow('relays.json is not JSON');
  });
});
