import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, rootCertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { aLeaf, type TestLeaf } from '../../test/processes/endpoint-leaf.js';
import { bytesOf } from '../../test/identities.js';
import { encodeStreamFrame } from '../protocol/relay/stream.js';
import type { TlsRelay } from './relay-news.js';
import { TlsLink } from './tls.path.js';

const DAY_MS = 86_400_000;
const FRAME = bytesOf(5, 40);
const toEnd: (() => void)[] = [];

/** A server with `leaf` that greets with a frame; `got` are the bytes of clients. */
async function aServer(leaf: TestLeaf, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') {
  const got: Buffer[] = [];
  const server = createServer({ cert: leaf.certificate, key: leaf.key, maxVersion }, (socket) => {
    socket.on('error', () => undefined);
    toEnd.push(() => socket.destroy());
    socket.on('data', (chunk) => got.push(chunk));
    socket.write(encodeStreamFrame(FRAME));
  });
  server.on('tlsClientError', () => undefined);
  toEnd.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on TCP has an address of this kind.
  return { port: (server.address() as AddressInfo).port, got, server };
}

afterEach(() => {
  for (const end of toEnd.splice(0)) end();
});

/** What a link to `relay` tells first, and then whether a frame came. */
function connected(relay: TlsRelay) {
  const frames: Uint8Array[] = [];
  let link: TlsLink | undefined;
  const outcome = new Promise<string>((resolve) => {
    link = new TlsLink(
      relay,
      {
        open: () => {
          link?.send(Buffer.concat([FRAME, FRAME]), 80, 40);
        },
        frame: (bytes) => {
          frames.push(Buffer.from(bytes));
          resolve('frame');
        },
        ended: resolve,
      },
      () => Date.now(),
    );
  });
  // Before the leaf was judged: it goes nowhere.
  link?.send(FRAME, 40, 40);
  toEnd.push(() => link?.close());
  return { outcome, frames };
}

const relayOf = (leaf: TestLeaf, port: number, pins = [leaf.pin]): TlsRelay => ({
  host: '127.0.0.1',
  port,
  pins,
  identity: leaf.identity,
});

describe('a connection to a relay over TLS', () => {
  it('carries frames both ways when the leaf is the pinned one', async () => {
    const leaf = await aLeaf();
    const { port, got } = await aServer(leaf);
    const link = connected(relayOf(leaf, port));
    expect(await link.outcome).toBe('frame');
    expect(link.frames).toEqual([Buffer.from(FRAME)]);
    for (let i = 0; i < 200 && Buffer.concat(got).length < 84; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const framed = encodeStreamFrame(FRAME);
    expect(Buffer.concat(got)).toEqual(Buffer.concat([framed, framed]));
  });

  it.each([
    ['leaf-not-pinned', 'another key', async (leaf: TestLeaf) => [leaf, (await aLeaf()).pin]],
    [
      'leaf-expired',
      'the right key and a leaf that has expired',
      async () => {
        const expired = await aLeaf(
          'spiffe://test/old',
          new Date(Date.now() - 2 * DAY_MS),
          new Date(Date.now() - DAY_MS),
        );
        return [expired, expired.pin];
      },
    ],
    [
      'leaf-other-name',
      'the right key under another name',
      (leaf: TestLeaf) => [{ ...leaf, identity: 'spiffe://test/other' }, leaf.pin],
    ],
  ] as const)('ends as %s with %s, and not a byte was sent', async (end, _, change) => {
    // Both of them, in this order: the tuple's types are lost in the table.
    const [leaf, pin] = (await change(await aLeaf())) as [TestLeaf, string];
    const { port, got } = await aServer(leaf);
    const link = connected(relayOf(leaf, port, [pin]));
    expect(await link.outcome).toBe(end);
    expect([got, link.frames]).toEqual([[], []]);
  });

  it('is not made over TLS 1.2', async () => {
    const leaf = await aLeaf();
    const { port, got } = await aServer(leaf, 'TLSv1.2');
    const link = connected(relayOf(leaf, port));
    expect(await link.outcome).toBe('connection-lost');
    expect(got).toEqual([]);
  });

  it('is not made more trustworthy by an authority that this machine trusts', async () => {
    const [leaf, pinned] = [await aLeaf(), await aLeaf()];
    setDefaultCACertificates([...rootCertificates, leaf.certificate]);
    try {
      const { port } = await aServer(leaf);
      const link = connected(relayOf(leaf, port, [pinned.pin]));
      expect(await link.outcome).toBe('leaf-not-pinned');
    } finally {
      setDefaultCACertificates(rootCertificates);
    }
  });

  it('ends when the server goes, or is not there', async () => {
    const leaf = await aLeaf();
    const { port, server } = await aServer(leaf);
    server.close();
    await once(server, 'close');
    expect(await connected(relayOf(leaf, port)).outcome).toBe('connection-lost');
  });

  it('ERR_ENDPOINT_PIN: is not begun without a pin', () => {
    const relay = { host: '127.0.0.1', port: 1, pins: [], identity: 'spiffe://test' };
    expect(() => new TlsLink(relay, NOTHING, Date.now)).toThrow(
      expect.objectContaining({ code: 'ERR_ENDPOINT_PIN' }),
    );
  });
});

const NOTHING = { open: () => undefined, frame: () => undefined, ended: () => undefined };
