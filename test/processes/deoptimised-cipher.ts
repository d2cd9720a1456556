/*
 * A program: seals and opens packets under one key while V8 leaves optimised code after each of them, erases the key and
 * tells it under a mask. `node --allow-natives-syntax --import tsx deoptimised-cipher.ts BACKEND`; over the channel of
 * `fork`. Leaving optimised code writes all vector registers to memory that is freed and not overwritten.
 */
import { randomFillSync } from 'node:crypto';
import { runInThisContext } from 'node:vm';
import { CANDIDATES } from '../../src/crypto/backend.chooser.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { MASK } from './noise-endpoint-channel.js';

/** Each length takes another way through the ciphers' vector code. */
const PACKET_BYTES = [0, 33, 256, 512, 1_180];
const TIMES = 40;

const backend = CANDIDATES.find(({ name }) => name === process.argv[2])!.load();
const aead = backend.aead('ChaChaPoly');
const keys = new KeyStore();
const key = randomFillSync(keys.take(32));
const masked = Array.from(key, (byte) => byte ^ MASK);
const nonce = new Uint8Array(12);
const header = new Uint8Array(16);

/**
 * V8's own functions are no TypeScript. What comes of it calls `step` from optimised code and leaves that at once. Each
 * number of `variables` makes another size of what V8 allocates, so that not every copy is written over by the next.
 */
const leaveOptimisedCode = runInThisContext(`(step, variables) => {
  const names = Array.from({ length: variables }, (_, i) => 'v' + i);
  const caller = eval('(leaves, ' + names + ') => { step(); if (leaves) %DeoptimizeNow(); return [' + names + ']; }');
  %PrepareFunctionForOptimization(caller);
  caller(false);
  %OptimizeFunctionOnNextCall(caller);
  caller(true);
}`) as (step: () => void, variables: number) => void; // What the text above makes.

for (const length of PACKET_BYTES) {
  const packet = new Uint8Array(length);
  const sealed = new Uint8Array(length + 16);
  const seal = (): void => {
    aead.seal(key, nonce, header, packet, sealed);
  };
  const open = (): void => {
    if (!aead.open(key, nonce, header, sealed, packet)) throw new Error('not opened');
  };
  for (const step of [seal, open])
    for (let variables = 0; variables < TIMES; variables++) leaveOptimisedCode(step, variables);
}
process.on('message', () => {
  keys.erase(key);
  process.send?.('erased');
});
process.send?.(masked);
