import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { bundle } from '../../config/tooling/bundler.js';

const ROOT = join(import.meta.dirname, '../..');
const OUT = join(ROOT, 'dist', `bundle-of-test-gateway-${process.pid}`);

/** Where endpoints seal and open what they say, and hold the keys of it. */
const OF_ENDPOINTS = /src\/(client|cli)\/|src\/protocol\/(session|channels|noise|envelope)\//;
/** What is left of a file of which only a length or a name is used. */
const CONSTANT_BYTES = 100;
/** What endpoints do with content: classes and functions keep their names in a bundle. */
const OPENING = [
  'CipherState',
  'HandshakeState',
  'SymmetricState',
  'openEnvelope',
  'sealEnvelope',
  'SessionReceiver',
  'ChunkCipher',
  'rendezvousToken',
];

let metafile: Metafile;
beforeAll(async () => {
  metafile = await bundle(
    {
      gateway: join(ROOT, 'src/bin/gateway.ts'),
      relay: join(ROOT, 'src/bin/relay.ts'),
      'packet.worker': join(ROOT, 'src/relay/packet/packet.worker.ts'),
      'fallback.worker': join(ROOT, 'src/relay/shell/fallback.worker.ts'),
      sallyport: join(ROOT, 'src/bin/sallyport.ts'),
    },
    OUT,
  );
});
afterAll(() => rm(OUT, { recursive: true, force: true }));

/** Files of endpoints of which a program has more than a constant. */
function filesOfEndpoints(program: string): string[] {
  const [, { inputs }] = Object.entries(metafile.outputs).find(([name]) =>
    name.endsWith(`/${program}.js`),
  )!;
  return Object.entries(inputs)
    .filter(
      ([name, { bytesInOutput }]) => OF_ENDPOINTS.test(name) && bytesInOutput > CONSTANT_BYTES,
    )
    .map(([name]) => name);
}

/** Which of OPENING a program has. */
function namesIn(program: string): string[] {
  const text = readFileSync(join(OUT, `${program}.js`), 'utf8');
  return OPENING.filter((name) => new RegExp(`\\b${name}\\b`).test(text));
}

describe('the programs of servers', () => {
  it.each(['gateway', 'relay', 'packet.worker', 'fallback.worker'])(
    'S43: %s has no code of an endpoint, and none that opens what endpoints seal',
    (program) => {
      expect(filesOfEndpoints(program)).toEqual([]);
      expect(namesIn(program)).toEqual([]);
    },
  );

  it('S43: are compared with names that are there where content is opened', () => {
    expect(filesOfEndpoints('sallyport').length).toBeGreaterThan(50);
    expect(namesIn('sallyport')).toEqual(OPENING);
  });
});
