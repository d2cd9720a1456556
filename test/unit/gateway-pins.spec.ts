import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { judgePinUpdate } from '../../src/client/gateway/pin-update.js';
import { choosePins, readPin } from '../../src/gateway/pins/pin-update.js';
import { signPinUpdate } from '../../src/gateway/pins/pin.signer.js';
import { createPins, type PublicLeaf } from '../../src/gateway/pins/pins.room.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { createMetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { MAX_FROM_GATEWAY_BYTES } from '../../src/messages/signaling.js';
import { issue, otherPin, pinOf, type Issued } from '../processes/client-chain.js';
import { anAccount } from '../identities.js';
import { aConnection, type TestConnection } from '../signaling-bed.js';

const NOON_MS = Date.parse('2026-03-02T12:00:00Z');
const DAY_MS = 86_400_000;
const SETTLE_MS = 180_000;
const HOST = 'gateway.example';

let authority: Issued;
let first: PublicLeaf & { pin: string };
let second: PublicLeaf & { pin: string };

const pem = ({ certificate }: Issued): string => certificate.toString('pem');

async function aLeaf(name: string): Promise<PublicLeaf & { pin: string }> {
  const leaf = await issue({ name, issuer: authority, host: HOST });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', leaf.keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    certificate: `${pem(leaf)}\n${pem(authority)}\n`,
    key: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    fingerprint: name,
    pin: pinOf(leaf),
  };
}

beforeAll(async () => {
  authority = await issue({ name: 'authority', isAuthority: true });
  first = await aLeaf('first');
  second = await aLeaf('second');
});

/** A room of pins, and what may change around it. */
function aRoom() {
  const at = {
    nowMs: NOON_MS,
    leaf: first as PublicLeaf | undefined,
    nextPin: second.pin as string | undefined,
    hosts: [HOST] as readonly string[],
    behindIngress: false,
  };
  const room = createPins(
    {
      settings: () => ({
        hosts: [...at.hosts],
        trustedProxies: { cidrs: [], hops: 0, required: at.behindIngress },
      }),
      clock: { now: () => new Date(at.nowMs), monotonicMs: () => at.nowMs },
      metrics: createMetricsRegistry({ processMetrics: false }),
      log: SILENT_LOGGER,
    },
    { leaf: () => at.leaf, nextPin: () => at.nextPin },
  );
  const connect = (id = 'c'): TestConnection => {
    const connection = aConnection(anAccount(1), id);
    room.opened?.(connection);
    return connection;
  };
  return { at, room, connect };
}

interface PinNotice {
  readonly update: string;
  readonly signature: string;
}

const updatesTo = ({ notices }: TestConnection): readonly PinNotice[] =>
  // The only notice that this room sends.
  notices.map(({ body }) => body as PinNotice);

/** What an endpoint makes of an update that came over a connection to `leaf`. */
const judged = (
  notice: PinNotice,
  leaf: PublicLeaf,
  { serial = 0, nowMs = NOON_MS, host = HOST } = {},
) =>
  judgePinUpdate(notice, {
    ...{ host, serial, nowMs },
    leafKey: new X509Certificate(leaf.certificate).publicKey,
  });

let bed: ReturnType<typeof aRoom>;
beforeEach(() => {
  bed = aRoom();
});

describe('an endpoint that logs in', () => {
  it('is told the key that it sees and the one that follows, for ninety days', () => {
    const [notice, ...more] = updatesTo(bed.connect());
    expect(more).toEqual([]);
    expect(judged(notice!, first)).toEqual({
      ...{ v: 1, hosts: [HOST], serial: NOON_MS, pins: [first.pin, second.pin] },
      ...{ notBefore: NOON_MS, notAfter: NOON_MS + 90 * DAY_MS },
    });
  });

  it('is told the authority where nobody knows the key that follows', () => {
    bed.at.nextPin = undefined;
    const [notice] = updatesTo(bed.connect());
    expect(judged(notice!, first)).toMatchObject({ pins: [first.pin, pinOf(authority)] });
  });

  it('is told nothing when there is no second pin, when there is no certificate, and behind an ingress', () => {
    const [alone = ''] = first.certificate.split(/(?<=-----END CERTIFICATE-----)/);
    bed.at.nextPin = undefined;
    bed.at.leaf = { ...first, certificate: alone, fingerprint: 'alone' };
    expect(updatesTo(bed.connect())).toEqual([]);
    bed.at.leaf = undefined;
    expect(updatesTo(bed.connect())).toEqual([]);
    bed.at.leaf = first;
    bed.at.behindIngress = true;
    expect(updatesTo(bed.connect())).toEqual([]);
  });

  it('takes it again after a day, and not before, because its serial stays', () => {
    const [notice] = updatesTo(bed.connect());
    bed.at.nowMs += DAY_MS - 1;
    const [again] = updatesTo(bed.connect());
    expect(again).toEqual(notice);
    expect(judged(again!, first, { serial: NOON_MS, nowMs: bed.at.nowMs })).toBe('update-serial');
    bed.at.nowMs += 1;
    const [later] = updatesTo(bed.connect());
    expect(judged(later!, first, { serial: NOON_MS, nowMs: bed.at.nowMs })).toMatchObject({
      serial: NOON_MS + DAY_MS,
    });
  });
});

describe('a gateway whose key changes', () => {
  const third = otherPin();
  const change = (): void => {
    bed.at.leaf = second;
    bed.at.nextPin = third;
  };

  it('tells whoever comes over the new key once all replicas have had time to show it', () => {
    bed.connect();
    bed.at.nowMs += DAY_MS / 2;
    change();
    const early = bed.connect('early');
    expect(updatesTo(early)).toEqual([]);
    bed.at.nowMs += SETTLE_MS - 1;
    void bed.room.tick?.(bed.at.nowMs);
    expect(updatesTo(early)).toEqual([]);
    bed.at.nowMs += 1;
    void bed.room.tick?.(bed.at.nowMs);
    const [notice] = updatesTo(early);
    const told = judged(notice!, second, { serial: NOON_MS, nowMs: bed.at.nowMs });
    expect(told).toMatchObject({ pins: [second.pin, third] });
    void bed.room.tick?.(bed.at.nowMs + 1_000);
    expect(updatesTo(early)).toHaveLength(1);
  });

  it('tells those who came over the old key nothing that they could not check', () => {
    const old = bed.connect();
    change();
    void bed.room.tick?.(bed.at.nowMs);
    bed.at.nowMs += SETTLE_MS;
    void bed.room.tick?.(bed.at.nowMs);
    expect(updatesTo(old)).toHaveLength(1);
  });

  it.each([
    ['the next key', { nextPin: third }, HOST, third],
    ['a host', { hosts: [HOST, 'other.example'] }, 'other.example', undefined],
  ])('tells everybody who is connected when only %s is another', (_, news, host, next) => {
    const one = bed.connect();
    Object.assign(bed.at, news);
    void bed.room.tick?.(bed.at.nowMs);
    bed.at.nowMs += SETTLE_MS;
    void bed.room.tick?.(bed.at.nowMs);
    const told = updatesTo(one).at(-1)!;
    expect(judged(told, first, { serial: NOON_MS, nowMs: bed.at.nowMs, host })).toMatchObject({
      pins: [first.pin, next ?? second.pin],
    });
  });

  it('tells nobody who is gone', () => {
    const gone = bed.connect();
    bed.room.closed?.(gone);
    bed.at.nextPin = third;
    void bed.room.tick?.(bed.at.nowMs);
    bed.at.nowMs += SETTLE_MS;
    void bed.room.tick?.(bed.at.nowMs);
    expect(updatesTo(gone)).toHaveLength(1);
  });
});

describe('what is signed', () => {
  const text = () =>
    JSON.stringify({
      ...{ hosts: [HOST], notAfter: NOON_MS + DAY_MS, notBefore: NOON_MS },
      ...{ pins: [first.pin, second.pin], serial: 1, v: 1 },
    });
  const pairs: readonly [string, () => { publicKey: KeyObject; privateKey: KeyObject }][] = [
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2_048 })],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
  ];

  it.each(pairs)('holds for endpoints with a key of the kind %s', (_, generate) => {
    const { publicKey, privateKey } = generate();
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const notice = { update: text(), signature: signPinUpdate(text(), key) };
    const at = { host: HOST, leafKey: publicKey, serial: 0, nowMs: NOON_MS };
    expect(judgePinUpdate(notice, at)).toMatchObject({ serial: 1 });
  });

  it('is refused without a word of the key when that is none', () => {
    expect(() => signPinUpdate('{}', '-----BEGIN PRIVATE KEY-----SECRET')).toThrow(
      /^the TLS key cannot sign a pin update$/,
    );
  });

  it('fits into a message however many hosts and how long their names are', () => {
    const hosts = Array.from({ length: 40 }, (_, at) => `${'h'.repeat(250)}${at}`);
    const chosen = choosePins({ chain: first.certificate, nextPin: second.pin, hosts })!;
    expect(JSON.stringify(chosen).length).toBeLessThan(4_096 - 200);
    expect(4_096).toBeLessThan(MAX_FROM_GATEWAY_BYTES);
    expect(chosen.hosts.length).toBeGreaterThan(8);
  });

  it('takes the next pin from a file that holds one, and from no other', () => {
    expect(readPin(`${second.pin}\n`)).toBe(second.pin);
    expect([readPin(''), readPin('sha256/abc'), readPin(`${second.pin} x`)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
