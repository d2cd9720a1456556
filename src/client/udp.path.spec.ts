import { afterEach, describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../test/identities.js';
import { UdpLink } from './udp.path.js';

const open: UdpLink[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.close();
});

/** A link and what it receives, once there are `count` of it or 5 s have passed. */
async function aLink(address: string, withBursts: 'bursts' | 'no-bursts' = 'bursts') {
  const got: { readonly bytes: Uint8Array; readonly from: string; readonly port: number }[] = [];
  const link = await UdpLink.open(
    address,
    (bytes, from, port) => got.push({ bytes, from, port }),
    withBursts,
  );
  open.push(link);
  const received = async (count: number) => {
    for (let i = 0; i < 500 && got.length < count; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return got;
  };
  return { link, received };
}

const sizes = (got: readonly { readonly bytes: Uint8Array }[]) =>
  got.map((one) => one.bytes.length);

describe.each(['bursts', 'no-bursts'] as const)('a socket with %s', (withBursts) => {
  it.each([
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::1', '0:0:0:0:0:0:0:1', '::1'],
    ['::', '127.0.0.1', '::ffff:127.0.0.1'],
  ])('bound to %s sends to %s, which is %s in what comes back', async (bind, to, written) => {
    const a = await aLink(bind, withBursts);
    const b = await aLink(bind === '::' ? '127.0.0.1' : bind);
    expect(a.link.sendsBursts).toBe(withBursts === 'bursts');
    const remote = a.link.remote(to, b.link.port);
    a.link.send(bytesOf(1, 2_500), 2_500, { remote, segment: 1_000 });
    const got = await b.received(3);
    expect(sizes(got)).toEqual([1_000, 1_000, 500]);
    b.link.send(bytesOf(2, 10), 10, {
      remote: b.link.remote(got[0]!.from, got[0]!.port),
      segment: 10,
    });
    expect(await a.received(1)).toMatchObject([{ from: remote.address, port: remote.port }]);
    expect(remote.address).toBe(written);
  });

  it('sends bursts of other sizes, and single datagrams longer than those before, each as it is', async () => {
    const [a, b] = [await aLink('127.0.0.1', withBursts), await aLink('127.0.0.1')];
    const remote = a.link.remote('127.0.0.1', b.link.port);
    for (const [length, segment] of [
      [300, 100],
      [1_200, 1_200],
      [50, 50],
      [450, 200],
    ] as const)
      a.link.send(bytesOf(1, length), length, { remote, segment });
    expect(sizes(await b.received(8))).toEqual([100, 100, 100, 1_200, 50, 200, 200, 50]);
  });

  it('sends what it took before it was closed, and nothing after', async () => {
    const [a, b] = [await aLink('127.0.0.1', withBursts), await aLink('127.0.0.1')];
    const remote = a.link.remote('127.0.0.1', b.link.port);
    a.link.send(bytesOf(1, 20), 20, { remote, segment: 20 });
    a.link.close();
    a.link.send(bytesOf(1, 30), 30, { remote, segment: 30 });
    expect(sizes(await b.received(1))).toEqual([20]);
  });

  it('counts what it cannot send to an IPv6 address from IPv4, and sends it nowhere', async () => {
    const { link } = await aLink('127.0.0.1', withBursts);
    const remote = link.remote('::1', 9);
    link.send(bytesOf(1, 25), 25, { remote, segment: 10 });
    expect(link.dropped).toBe(3);
  });
});

describe('an address that is none', () => {
  it.each([
    ['localhost', 1],
    ['127.0.0.1', 0],
    ['127.0.0.1', 65_536],
    ['127.0.0.1', 1.5],
    ['', 1],
  ])('ERR_ENDPOINT_ADDRESS: %j with port %d throws', async (address, port) => {
    const { link } = await aLink('127.0.0.1');
    const error = expect.objectContaining({ code: 'ERR_ENDPOINT_ADDRESS' });
    expect(() => link.remote(address, port)).toThrow(error);
  });

  it('cannot be bound', async () => {
    const receive = (): undefined => undefined;
    await expect(UdpLink.open('relay.example', receive)).rejects.toMatchObject({
      code: 'ERR_ENDPOINT_ADDRESS',
    });
    await expect(UdpLink.open('192.0.2.1', receive)).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });
});
