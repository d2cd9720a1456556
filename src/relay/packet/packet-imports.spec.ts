import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = normalize(join(import.meta.dirname, '../../..'));

/** Modules of Node that the packet worker may load. */
const NODE_MODULES = [
  'node:crypto',
  'node:dgram',
  'node:events',
  'node:fs',
  'node:module',
  'node:util',
  'node:worker_threads',
];
/** Functions of node:crypto that it may use (architecture, 5): none of them opens anything. */
const CRYPTO_FUNCTIONS = [
  'createHmac',
  'verify',
  'createPublicKey',
  'randomBytes',
  'timingSafeEqual',
  'hash',
];
/** Where content is sealed and opened, and where keys of sessions are. */
const FORBIDDEN_FILES =
  /^src\/(crypto|client|messages)\/|^src\/protocol\/(noise|session|envelope|identity|channels?|key-store|crypto-backend)/;

interface Import {
  readonly names: readonly string[];
  readonly from: string;
}

/** Imports that are there at run time: types are gone by then. */
function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = [...source.matchAll(/^(?:import|export) (?!type )([^;]*?)from '([^']+)';/gms)];
  const bare = [...source.matchAll(/^import '([^']+)';/gm)];
  const dynamic = [...source.matchAll(/(?:import|require(?:\([^)]*\))?)\(\s*'([^']+)'\s*\)/g)];
  const createRequire = [...source.matchAll(/createRequire\([^)]*\)\(\s*'([^']+)'\s*\)/g)];
  return [
    ...found.map(([, names = '', from = '']) => ({
      names: names
        .replace(/[{}]/g, '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && !name.startsWith('type ')),
      from,
    })),
    ...[...bare, ...dynamic, ...createRequire].map(([, from = '']) => ({ names: [], from })),
  ];
}

/** Every file that the packet worker loads, and what each imports from outside. */
function reachable(): Map<string, Import[]> {
  const outside = new Map<string, Import[]>();
  const open = ['src/relay/packet/packet.worker.ts'];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (outside.has(file)) continue;
    const imports = importsOf(file);
    outside.set(
      file,
      imports.filter(({ from }) => !from.startsWith('.')),
    );
    for (const { from } of imports.filter(({ from }) => from.startsWith('.')))
      open.push(relative(ROOT, join(ROOT, dirname(file), from.replace(/\.js$/, '.ts'))));
  }
  return outside;
}

describe('the packet worker', () => {
  const files = reachable();
  const outside = [...files.values()].flat();

  it('S2: reaches the files of the relay and of its wire format', () => {
    expect([...files.keys()]).toEqual(
      expect.arrayContaining([
        'src/relay/packet/forwarding.ts',
        'src/relay/socket/udp-koffi.socket.ts',
        'src/protocol/relay/header.ts',
        'src/protocol/lease/paseto.ts',
      ]),
    );
  });

  it('S2, S13: reaches no file that seals, opens or holds a key of a session', () => {
    expect([...files.keys()].filter((file) => FORBIDDEN_FILES.test(file))).toEqual([]);
  });

  it('S2, S13: loads no TLS, no HTTP and no package but koffi', () => {
    const modules = new Set(outside.map(({ from }) => from));
    expect([...modules].filter((name) => !NODE_MODULES.includes(name))).toEqual(['koffi']);
  });

  it('S2, S13: takes from node:crypto only what can check and nothing that can open', () => {
    const names = outside
      .filter(({ from }) => from === 'node:crypto')
      .flatMap(({ names }) => names);
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !CRYPTO_FUNCTIONS.includes(name))).toEqual([]);
  });
});
