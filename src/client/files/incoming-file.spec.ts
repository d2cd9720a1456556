import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { KeyStore } from '../../protocol/key-store.js';
import { ChunkCipher } from './chunk-cipher.js';
import { chunkLayout, chunkLength, contentLength } from './chunk-layout.js';
import { ChunkSet } from './chunk-set.js';
import { decodeFileMessage } from './file-message.js';
import { IncomingFile } from './incoming-file.js';
import { chunkHash, decodeManifest, encodeManifest } from './manifest.js';
import { OutgoingFile } from './outgoing-file.js';

const context = { backend: nodeBackend, keys: new KeyStore(1 << 14) };
let seed = 0;
const random = (out: Uint8Array) => {
  for (let i = 0; i < out.length; i++) out[i] = seed = (seed * 197 + 41) % 251;
};

/** A file whose every byte says where it is. */
const contentOf = (size: number, first = 0) =>
  Uint8Array.from({ length: size }, (_, at) => (first + at + (at >>> 8)) % 253);

/** The chunks of `content`, padded. */
function offered(content: Uint8Array) {
  const layout = chunkLayout(content.length);
  const hashes = new Uint8Array(32 * layout.total);
  for (let index = 0; index < layout.total; index++) {
    const chunk = new Uint8Array(chunkLength(layout, index));
    const at = index * layout.chunkBytes;
    chunk.set(content.subarray(at, at + contentLength(layout, index)));
    nodeBackend.hash('SHA256', [chunk], chunkHash(hashes, index));
  }
  return new OutgoingFile(context, random, { name: 'a.bin', layout, hashes });
}

/** Both sides of one offer, as messages take them across. */
function pair(content: Uint8Array, sender = offered(content)) {
  const offer = decodeFileMessage(sender.offer);
  if (typeof offer === 'string' || offer.type !== 'offer') throw new Error('no offer');
  const manifest = decodeManifest(offer.manifest);
  if (typeof manifest === 'string') throw new Error(manifest);
  const receiver = new IncomingFile(context, offer.id, manifest);
  const accept = (have = new ChunkSet(manifest.layout.total)) => {
    const answer = decodeFileMessage(receiver.accept(have));
    if (typeof answer === 'string' || answer.type !== 'accept') throw new Error('no answer');
    expect(sender.accepted(answer.wanted)).toBe(true);
  };
  const sealed = (index: number, of = content): Uint8Array => {
    const { message, content: room } = sender.prepare(index);
    const at = index * manifest.layout.chunkBytes;
    room.set(of.subarray(at, at + room.length));
    expect(sender.seal(index, message)).toBe(true);
    return message.subarray(21);
  };
  return { sender, receiver, accept, sealed };
}

describe('a file of three chunks', () => {
  const content = contentOf(300_000);

  it('comes whole, chunk by chunk, without its padding', () => {
    const { receiver, accept, sealed, sender } = pair(content);
    accept();
    const parts = [0, 1, 2].map((index) => {
      const part = receiver.take(index, sealed(index));
      expect(part).toBeInstanceOf(Uint8Array);
      return Buffer.from(part as Uint8Array);
    });
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect([receiver.isComplete, receiver.bytes]).toEqual([true, 300_000]);
    sender.close();
    receiver.close();
    expect(context.keys.liveSlices).toBe(0);
  });

  it('S64: is asked for only what is missing', () => {
    const { receiver, accept, sealed, sender } = pair(content);
    const have = new ChunkSet(3);
    have.add(0);
    have.add(2);
    accept(have);
    expect([sender.next(0), sender.next(2), sender.hadBytes]).toEqual([1, undefined, 168_928]);
    expect(receiver.take(1, sealed(1))).toBeInstanceOf(Uint8Array);
    expect([receiver.isComplete, receiver.bytes]).toEqual([true, 300_000]);
  });

  it('T42: takes no chunk before it asked, none that does not exist, none twice and none out of order', () => {
    const { receiver, accept, sealed } = pair(content);
    const chunks = [0, 1, 2].map((index) => sealed(index));
    expect(receiver.take(0, chunks[0]!)).toBe('chunk-unasked');
    accept();
    expect(receiver.take(3, chunks[0]!)).toBe('chunk-index');
    expect(receiver.take(2 ** 32 - 1, chunks[0]!)).toBe('chunk-index');
    expect(receiver.take(1, chunks[1]!)).toBeInstanceOf(Uint8Array);
    expect(receiver.take(1, chunks[1]!)).toBe('chunk-order');
    expect(receiver.take(0, chunks[0]!)).toBe('chunk-order');
    expect(receiver.isComplete).toBe(false);
  });

  it('S63, T42: takes a chunk in its own place only, with its own length, unchanged', () => {
    const { receiver, accept, sealed } = pair(content);
    accept();
    expect(receiver.take(0, sealed(1))).toBe('chunk-tag');
    expect(receiver.take(0, sealed(0).subarray(1))).toBe('chunk-length');
    expect(receiver.take(2, sealed(0))).toBe('chunk-length');
    const changed = sealed(0);
    changed[5]! ^= 1;
    expect(receiver.take(0, changed)).toBe('chunk-tag');
    expect(receiver.take(0, sealed(0))).toBeInstanceOf(Uint8Array);
  });

  it('T42: takes no chunk of another file, nor of another offer of the same file', () => {
    const { receiver, accept } = pair(content);
    accept();
    expect(receiver.take(0, pair(contentOf(300_000, 7)).sealed(0, contentOf(300_000, 7)))).toBe(
      'chunk-tag',
    );
    expect(receiver.take(0, pair(content).sealed(0))).toBe('chunk-tag');
  });

  it('sends nothing that is not what was offered', () => {
    const { sender } = pair(content);
    const { message, content: room } = sender.prepare(0);
    room.fill(7);
    expect(sender.seal(0, message)).toBe(false);
  });

  it('T42: an answer that is none of three chunks is refused, and so is a second one', () => {
    const sender = offered(content);
    for (const wanted of [[], [0xe0, 0], [0xf0], [0xe1]])
      expect(sender.accepted(Uint8Array.from(wanted))).toBe(false);
    const another = offered(content);
    expect(another.accepted(Uint8Array.of(0xe0))).toBe(true);
    expect(another.accepted(Uint8Array.of(0xe0))).toBe(false);
  });
});

/** A sender who keeps to no rule: seals what he wants under the key of his own manifest. */
function liar(size: number, promised: (index: number) => Uint8Array) {
  const layout = chunkLayout(size);
  const [id, fileKey] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)];
  const hashes = new Uint8Array(32 * layout.total);
  for (let index = 0; index < layout.total; index++)
    nodeBackend.hash('SHA256', [promised(index)], chunkHash(hashes, index));
  const cipher = new ChunkCipher(context, { fileKey, id, total: layout.total });
  const bytes = encodeManifest({ fileKey, name: 'a.bin', layout, hashes });
  const manifest = decodeManifest(bytes);
  if (typeof manifest === 'string') throw new Error(manifest);
  const receiver = new IncomingFile(context, id, manifest);
  const sealed = (index: number, plaintext: Uint8Array) => {
    const out = Uint8Array.from([...plaintext, ...new Uint8Array(16)]);
    cipher.seal(index, out);
    return out;
  };
  return { receiver, sealed, layout };
}

describe('a sender who lies', () => {
  it('S63, T42: delivers no chunk that was sealed well and is not what his manifest promised', () => {
    const { receiver, sealed } = liar(10, () => new Uint8Array(1_120));
    receiver.accept(new ChunkSet(1));
    // Not a hole in the accounts either: nothing counts as had.
    expect(receiver.take(0, sealed(0, new Uint8Array(1_120).fill(1)))).toBe('chunk-hash');
    expect([receiver.isComplete, receiver.bytes]).toEqual([false, 0]);
    expect(receiver.take(0, sealed(0, new Uint8Array(1_120)))).toEqual(new Uint8Array(10));
  });

  it('S97: delivers no byte behind the 100,000,000 that his manifest names', () => {
    const { total, chunkBytes } = chunkLayout(100_000_000);
    const last = Math.floor(100_000_000 / chunkBytes);
    const chunk = new Uint8Array(chunkBytes);
    chunk[100_000_000 - last * chunkBytes] = 1;
    const { receiver, sealed } = liar(100_000_000, (index) =>
      index === last ? chunk : new Uint8Array(),
    );
    const have = ChunkSet.full(total);
    have.delete(last);
    receiver.accept(have);
    expect(receiver.take(last, sealed(last, chunk))).toBe('chunk-padding');
    expect(receiver.isComplete).toBe(false);
  });
});

describe('chunks', () => {
  it('S62: have a key and a nonce of their own: equal content never looks equal', () => {
    const zeros = new Uint8Array(600_000);
    const { sealed } = pair(zeros);
    const seen = [0, 1, 2, 3].map((index) => Buffer.from(sealed(index, zeros)).toString('hex'));
    expect(new Set(seen).size).toBe(4);
    expect(Buffer.from(pair(zeros).sealed(0, zeros)).toString('hex')).not.toBe(seen[0]);
  });
});
