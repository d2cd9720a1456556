import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { gatewayPlaces } from '../../src/client/gateway/gateway-place.js';
import { issue, otherPin, pinOf, SilentServer, type Issued } from './client-chain.js';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const HOUR_MS = 3_600_000;

let root: Issued;
let middle: Issued;
let leaf: Issued;
let servers: SilentServer[] = [];
const serve = async (...parameters: Parameters<typeof SilentServer.start>) => {
  const server = await SilentServer.start(...parameters);
  servers.push(server);
  return server;
};
beforeAll(async () => {
  root = await issue({ name: 'root', isAuthority: true });
  middle = await issue({ name: 'middle', isAuthority: true, issuer: root });
  leaf = await issue({ name: 'leaf', issuer: middle, host: 'localhost' });
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

describe('a gateway that is dialled', () => {
  it('T49, S20: is asked for the upgrade when its leaf is pinned, the present or the next one', async () => {
    expect(await (await serve([leaf])).dialled([pinOf(leaf)])).toBe('asked');
    expect(await (await serve([leaf])).dialled([otherPin(), pinOf(leaf)])).toBe('asked');
  });

  it('T49, S20: gets no byte but the TLS handshake when its key is not pinned', async () => {
    const server = await serve([leaf, middle, root]);
    expect(await server.dialled([otherPin()])).toBe('leaf-not-pinned');
    expect(server.read).toEqual([]);
  });

  it('T49: is accepted by a pin of the intermediate or the root from which its leaf verifies', async () => {
    expect(await (await serve([leaf, middle])).dialled([pinOf(middle)])).toBe('asked');
    expect(await (await serve([leaf, middle, root])).dialled([pinOf(root)])).toBe('asked');
  });

  it('T49: is refused when the pinned authority is only served beside a leaf of somebody else', async () => {
    const own = await issue({ name: 'leaf', host: 'localhost' });
    expect(await (await serve([own, middle, root])).dialled([pinOf(middle)])).toBe(
      'leaf-not-pinned',
    );
  });

  it('T49: is refused when the pinned authority only has the name of the one that signed', async () => {
    const forged = await issue({ name: 'middle', isAuthority: true });
    const own = await issue({ name: 'leaf', issuer: forged, host: 'localhost' });
    const server = await serve([own, middle]);
    expect(await server.dialled([pinOf(middle)])).toBe('leaf-not-pinned');
    expect(server.read).toEqual([]);
  });

  it('T49: is refused when what signed its leaf is no authority', async () => {
    const own = await issue({ name: 'own', issuer: leaf, host: 'localhost' });
    expect(await (await serve([own, leaf])).dialled([pinOf(leaf)])).toBe('leaf-not-pinned');
  });

  it('T49: is refused when its leaf has ended, with the right pin', async () => {
    const old = await issue({ name: 'old', issuer: middle, host: 'localhost', endsInMs: -HOUR_MS });
    const server = await serve([old]);
    expect(await server.dialled([pinOf(old)])).toBe('leaf-expired');
    expect(server.read).toEqual([]);
  });

  it('T49: is refused when an authority between leaf and pin has ended', async () => {
    const ended = await issue({ name: 'm2', isAuthority: true, issuer: root, endsInMs: -HOUR_MS });
    const own = await issue({ name: 'leaf', issuer: ended, host: 'localhost' });
    expect(await (await serve([own, ended, root])).dialled([pinOf(root)])).toBe(
      'authority-expired',
    );
  });

  it('T49: is refused when its leaf is for another name or another use', async () => {
    const other = await issue({ name: 'localhost', issuer: middle, host: 'elsewhere.example' });
    expect(await (await serve([other])).dialled([pinOf(other)])).toBe('leaf-other-name');
    const client = await issue({
      ...{ name: 'leaf', issuer: middle, host: 'localhost', usage: CLIENT_AUTH },
    });
    expect(await (await serve([client])).dialled([pinOf(client)])).toBe('leaf-wrong-usage');
  });

  it('S38: is refused when it speaks TLS 1.2 at most', async () => {
    const server = await serve([leaf], { maxVersion: 'TLSv1.2' });
    expect(await server.dialled([pinOf(leaf)])).toBe('tls-failed');
  });
});

describe('a list of gateways', () => {
  const pins = [otherPin()];
  it.each([
    ['ws://gateway.example', 'ERR_GATEWAY_INSECURE'],
    ['http://gateway.example:8443', 'ERR_GATEWAY_INSECURE'],
    ['https://gateway.example', 'ERR_GATEWAY_ADDRESS'],
    ['gateway.example', 'ERR_GATEWAY_ADDRESS'],
    ['wss://name:word@gateway.example', 'ERR_GATEWAY_ADDRESS'],
    ['wss://gateway.example/?token=1', 'ERR_GATEWAY_ADDRESS'],
  ])('T49, S14: is refused with %s, pins or not', (url, code) => {
    for (const given of [pins, []])
      expect(() => gatewayPlaces([{ url, pins: given }])).toThrow(
        expect.objectContaining({ code }),
      );
  });

  it('T49: is refused without pins, and with what is none', () => {
    for (const given of [[], ['sha256/abc'], [...pins, 'sha1/abc']])
      expect(() => gatewayPlaces([{ url: 'wss://gateway.example', pins: given }])).toThrow(
        expect.objectContaining({ code: 'ERR_GATEWAY_PIN' }),
      );
  });

  it('has port 8443 where none is written, and names and addresses in lower case', () => {
    const places = gatewayPlaces(
      ['wss://Gateway.Example', 'wss://gateway.example:443', 'wss://[2001:DB8::1]:9443'].map(
        (url) => ({ url, pins }),
      ),
    );
    expect(places.map(({ host, port }) => `${host} ${port}`)).toEqual([
      'gateway.example 8443',
      'gateway.example 443',
      '2001:db8::1 9443',
    ]);
  });

  it('has its replicas behind it in the list, all of one name, and the address of the first is the first’s', () => {
    const [one, two] = ['wss://one.example', 'wss://two.example'];
    const places = gatewayPlaces([
      { url: one, replicas: [two, 'wss://one.example:444'], pins, address: '192.0.2.1' },
      { url: 'wss://other.example', pins },
    ]);
    expect(
      places.map(({ host, port, gateway, address }) => [host, port, gateway, address]),
    ).toEqual([
      ['one.example', 8443, 'one.example:8443', '192.0.2.1'],
      ['two.example', 8443, 'one.example:8443', undefined],
      ['one.example', 444, 'one.example:8443', undefined],
      ['other.example', 8443, 'other.example:8443', undefined],
    ]);
    expect(() => gatewayPlaces([{ url: one, replicas: ['ws://two.example'], pins }])).toThrow(
      expect.objectContaining({ code: 'ERR_GATEWAY_INSECURE' }),
    );
  });
});
