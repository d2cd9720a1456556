import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { judgeServedChain } from '../../src/client/gateway/served-chain.js';
import { issue, pinOf, SilentServer, type Issued, type Wish } from './client-chain.js';

const HOST = 'a.example.com';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-authorities-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A piece of DER. */
const der = (tag: number, ...inner: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(inner);
  return Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
};
const dns = (base: string): Buffer => der(0x82, Buffer.from(base));
const address = (...bytes: readonly number[]): Buffer => der(0x87, Buffer.from(bytes));
/** CN=`name`. */
const directory = (name: string): Buffer => {
  const attribute = der(0x30, der(0x06, Buffer.of(0x55, 4, 3)), der(0x0c, Buffer.from(name)));
  return der(0xa4, der(0x30, der(0x31, attribute)));
};
const subtrees = (tag: number, bases: readonly Buffer[]): readonly Buffer[] =>
  bases.length === 0 ? [] : [der(tag, ...bases.map((base) => der(0x30, base)))];
const constraints = (permitted: readonly Buffer[], excluded: readonly Buffer[] = []): string =>
  der(0x30, ...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)).toString('hex');

interface Chain {
  readonly root: Issued;
  readonly middle: Issued;
  readonly leaf: Issued;
}

async function chain(ofRoot: Partial<Wish>, ofLeaf: Partial<Wish> = {}): Promise<Chain> {
  const root = await issue({ name: 'root', isAuthority: true, ...ofRoot });
  const middle = await issue({ name: 'middle', isAuthority: true, issuer: root });
  const leaf = await issue({ name: 'leaf', issuer: middle, host: HOST, ...ofLeaf });
  return { root, middle, leaf };
}

const nodes = ({ leaf, middle, root }: Chain): readonly X509Certificate[] =>
  [leaf, middle, root].map(
    ({ certificate }) => new X509Certificate(Buffer.from(certificate.rawData)),
  );

const judged = (made: Chain, host = HOST): string =>
  judgeServedChain(nodes(made), { host, pins: [pinOf(made.root)] }, Date.now());

/** Whether OpenSSL, which shares no line with ours, takes the same chain. */
async function opensslTakes(made: Chain): Promise<boolean> {
  const files = await Promise.all(
    nodes(made).map(async (certificate, at) => {
      const path = join(folder, `${at}.pem`);
      await writeFile(path, certificate.toString());
      return path;
    }),
  );
  const [leaf = '', middle = '', root = ''] = files;
  try {
    execFileSync('openssl', ['verify', '-CAfile', root, '-untrusted', middle, leaf], {
      stdio: 'pipe',
    });
    return true;
  } catch {
    return false;
  }
}

describe('the names that a pinned authority allows', () => {
  it.each<[string, string, Partial<Wish>, boolean]>([
    ['permits the domain', constraints([dns('example.com')]), {}, true],
    ['permits the name itself', constraints([dns(HOST)]), {}, true],
    ['permits it in capitals', constraints([dns('EXAMPLE.com')]), {}, true],
    ['permits another domain', constraints([dns('example.org')]), {}, false],
    ['permits what only ends alike', constraints([dns('ple.com')]), {}, false],
    ['permits one of two', constraints([dns('example.org'), dns('example.com')]), {}, true],
    ['excludes the domain', constraints([], [dns('example.com')]), {}, false],
    ['excludes another domain', constraints([], [dns('example.org')]), {}, true],
    ['permits and excludes', constraints([dns('example.com')], [dns(HOST)]), {}, false],
    ['permits an address only', constraints([address(10, 0, 0, 0, 255, 0, 0, 0)]), {}, true],
    [
      'permits the address beside the name',
      constraints([address(10, 0, 0, 0, 255, 0, 0, 0)]),
      { address: '10.1.2.3' },
      true,
    ],
    [
      'permits another address',
      constraints([address(10, 0, 0, 0, 255, 0, 0, 0)]),
      { address: '192.0.2.1' },
      false,
    ],
    [
      'excludes the address',
      constraints([], [address(192, 0, 2, 0, 255, 255, 255, 0)]),
      { address: '192.0.2.1' },
      false,
    ],
    ['permits another directory name', constraints([directory('other')]), {}, false],
  ])('T49: that %s are judged as by OpenSSL', async (_, limits, leaf, isTaken) => {
    const made = await chain({ constraints: limits }, leaf);
    expect(await opensslTakes(made)).toBe(isTaken);
    expect(judged(made)).toBe(isTaken ? 'ok' : 'authority-name-constraints');
  });

  it('T49: hold for all authorities up to the pin, and for none above it', async () => {
    const limited = { isAuthority: true, constraints: constraints([dns('example.org')]) };
    const root = await issue({ name: 'root', ...limited });
    const middle = await issue({ name: 'middle', isAuthority: true, issuer: root });
    const leaf = await issue({ name: 'leaf', issuer: middle, host: HOST });
    const served = nodes({ root, middle, leaf });
    const pinned = { host: HOST, pins: [pinOf(middle)] };
    expect(judgeServedChain(served, pinned, Date.now())).toBe('ok');
    expect(judged({ root, middle, leaf })).toBe('authority-name-constraints');
  });

  it('T49: do not hold when they cannot be read: with a minimum, or cut off', async () => {
    const base = der(0x30, dns('example.com'), der(0x80, Buffer.of(1)));
    const withMinimum = der(0x30, der(0xa0, base)).toString('hex');
    expect(judged(await chain({ constraints: withMinimum }))).toBe('authority-name-constraints');
    // OpenSSL does not take that for an authority at all.
    expect(judged(await chain({ constraints: '3010a0' }))).toBe('leaf-not-pinned');
  });

  it('T49: exclude a wildcard that reaches into them', async () => {
    const limits = constraints([], [dns('a.example.com')]);
    const made = await chain({ constraints: limits }, { host: '*.example.com' });
    expect(judged(made, 'b.example.com')).toBe('authority-name-constraints');
  });
});

describe('the path that a pinned authority allows', () => {
  it.each([
    [0, false],
    [1, true],
    [undefined, true],
  ])(
    'T49: of length %s has one authority between or not, as OpenSSL says',
    async (pathLength, isTaken) => {
      const made = await chain(pathLength === undefined ? {} : { pathLength });
      expect(await opensslTakes(made)).toBe(isTaken);
      expect(judged(made)).toBe(isTaken ? 'ok' : 'authority-path-length');
    },
  );
});

describe('a gateway whose authority may not issue for it', () => {
  it('T49: gets no byte but the TLS handshake', async () => {
    const root = await issue({ name: 'root', isAuthority: true, pathLength: 0 });
    const middle = await issue({ name: 'middle', isAuthority: true, issuer: root });
    const leaf = await issue({ name: 'leaf', issuer: middle, host: 'localhost' });
    const server = await SilentServer.start([leaf, middle, root]);
    const end = await server.dialled([pinOf(root)]).finally(() => server.stop());
    expect(end).toBe('authority-path-length');
    expect(server.read).toEqual([]);
  });
});
