import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChunkCipher } from '../../src/client/files/chunk-cipher.js';
import { chunkLayout, chunkLength } from '../../src/client/files/chunk-layout.js';
import { ChunkSet } from '../../src/client/files/chunk-set.js';
import type { EndReason } from '../../src/client/files/end-reason.js';
import { emptyChunkMessage, encodeFileMessage } from '../../src/client/files/file-message.js';
import { chunkHash, encodeManifest } from '../../src/client/files/manifest.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { ascii } from '../../src/protocol/bytes.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { LoopBed, type Allowed } from './client-files-bed.js';
import { until } from './relay-udp-endpoint.js';

let bed: LoopBed;
beforeEach(async () => {
  bed = await LoopBed.make();
});
afterEach(async () => {
  await bed.stop();
});

/** A sender who writes what he wants on the channel, under a genuine grant. */
async function attacker() {
  const session = await bed.alice.client.session();
  const say = (bytes: Uint8Array) => {
    session.send('file', bytes);
  };
  say(encodeFileMessage({ type: 'grant', token: ascii(bed.alice.client.grant()) }));
  return say;
}

/** An offer of random bytes, and its chunks. */
function anOffer(size: number, name = 'a.bin', changeHash = false) {
  const layout = chunkLayout(size);
  const [id, fileKey] = [randomBytes(16), randomBytes(32)];
  const hashes = new Uint8Array(32 * layout.total);
  const plaintexts = Array.from({ length: layout.total }, (_, index) => {
    const plaintext = new Uint8Array(chunkLength(layout, index));
    plaintext.fill(
      index + 1,
      0,
      Math.max(0, Math.min(plaintext.length, size - index * layout.chunkBytes)),
    );
    nodeBackend.hash('SHA256', [plaintext], chunkHash(hashes, index));
    return plaintext;
  });
  if (changeHash) hashes[0]! ^= 1;
  const context = { backend: nodeBackend, keys: new KeyStore() };
  const cipher = new ChunkCipher(context, { fileKey, id, total: layout.total });
  const manifest = encodeManifest({ fileKey, name, layout, hashes });
  return {
    id,
    offer: encodeFileMessage({ type: 'offer', id, manifest }),
    chunk: (index: number, as = index): Uint8Array => {
      const message = emptyChunkMessage(id, as, plaintexts[index]!.length);
      message.set(plaintexts[index]!, 21);
      cipher.seal(index, message.subarray(21));
      return message;
    },
  };
}

/** What Bob says at the end of the first transfer. */
async function ended(): Promise<EndReason> {
  const [, reason] = await bed.bob.heard.heard('ended');
  return reason;
}

describe('an attacker with a genuine grant', () => {
  it.each<[string, (offer: ReturnType<typeof anOffer>) => Uint8Array[], EndReason, string]>([
    ['a chunk that there is not', ({ chunk }) => [chunk(0), chunk(1, 3)], 'chunk', 'chunk-index'],
    ['chunk 4,294,967,295', ({ chunk }) => [chunk(1, 2 ** 32 - 1)], 'chunk', 'chunk-index'],
    ['a chunk twice', ({ chunk }) => [chunk(0), chunk(0)], 'out-of-turn', 'chunk-order'],
    ['chunks in another order', ({ chunk }) => [chunk(1), chunk(0)], 'out-of-turn', 'chunk-order'],
    ['a chunk in the place of another', ({ chunk }) => [chunk(0, 1)], 'chunk', 'chunk-tag'],
    [
      'a chunk that is too short',
      ({ chunk }) => [chunk(0).subarray(0, -1)],
      'chunk',
      'chunk-length',
    ],
    [
      'a chunk of another offer',
      ({ id }) => {
        const other = anOffer(300_000).chunk(0);
        other.set(id, 1);
        return [other];
      },
      'chunk',
      'chunk-tag',
    ],
  ])('T42: who sends %s is refused, and nothing is released', async (_, attack, reason, label) => {
    bed.willing();
    const say = await attacker();
    const offer = anOffer(300_000);
    say(offer.offer);
    await bed.bob.heard.heard('progress');
    for (const message of attack(offer)) say(message);
    expect(await ended()).toBe(reason);
    expect(bed.bob.heard.all('refused')).toEqual([[label]]);
    expect(await bed.bobsFolder()).toEqual([]);
  });

  it('T42: who sends what the manifest does not promise is refused', async () => {
    bed.willing();
    const say = await attacker();
    const offer = anOffer(300_000, 'a.bin', true);
    say(offer.offer);
    await bed.bob.heard.heard('progress');
    say(offer.chunk(0));
    expect(await ended()).toBe('chunk');
    expect(bed.bob.heard.all('refused')).toEqual([['chunk-hash']]);
  });

  it('T42: who sends chunks before anybody said yes is refused', async () => {
    const say = await attacker();
    const offer = anOffer(300_000);
    say(offer.offer);
    say(offer.chunk(0));
    expect(await ended()).toBe('out-of-turn');
    const late = await bed.bob.heard.offered();
    late.answer(true);
    expect(await bed.parts()).toEqual([]);
  });

  it('T42: who offers the largest file makes the receiver set nothing aside', async () => {
    const say = await attacker();
    const layout = chunkLayout(2 ** 35);
    const manifest = encodeManifest({
      ...{ fileKey: randomBytes(32), name: 'large', layout },
      hashes: new Uint8Array(32 * layout.total),
    });
    bed.willing();
    say(encodeFileMessage({ type: 'offer', id: randomBytes(16), manifest }));
    // A disk without so much room is full at once.
    const told = () => [...bed.bob.heard.all('progress'), ...bed.bob.heard.all('ended')].length > 0;
    await until('it is answered', told);
    const part = (await bed.parts()).find((name) => name.endsWith('.part'));
    const { size } = await stat(join(bed.bob.folder, '.sallyport', part!));
    expect(size).toBe(0);
  });

  it('T42: who offers more than eight files at a time is told to wait', async () => {
    const say = await attacker();
    for (let number = 0; number < 20; number++) say(anOffer(1_000 + number * 100).offer);
    await until('all are judged', () => bed.bob.heard.offers.length === 8);
    expect(bed.bob.heard.all('ended')).toEqual([]);
  });

  it('who offers without a grant is refused before anybody is asked', async () => {
    const session = await bed.alice.client.session();
    session.send('file', anOffer(10).offer);
    session.send('file', encodeFileMessage({ type: 'grant', token: ascii('v4.public.nonsense') }));
    await bed.bob.heard.heard('refused');
    expect(bed.bob.heard.offers).toEqual([]);
  });

  it('T41: who names a path writes in the folder only, under a harmless name', async () => {
    bed.willing();
    const say = await attacker();
    for (const name of [
      '../../../tmp/escape.sh',
      '/etc/cron.d/x',
      '..\\evil.dll',
      'CON',
      '\u202egnp.exe',
    ]) {
      const offer = anOffer(10 + name.length, name);
      const before = bed.bob.heard.all('progress').length;
      say(offer.offer);
      await until('it is accepted', () => bed.bob.heard.all('progress').length > before);
      say(offer.chunk(0));
    }
    await until('all have come', () => bed.bob.heard.all('received').length === 5);
    expect(await bed.bobsFolder()).toEqual(['_CON', 'escape.sh', 'evil.dll', 'gnp.exe', 'x']);
  });

  it('who writes nonsense is counted, and the others of the session go on', async () => {
    bed.willing();
    const say = await attacker();
    for (const nonsense of [[], [0], [9, 9], [2, 1, 2, 3], [6, ...new Uint8Array(17)]])
      say(Uint8Array.from(nonsense));
    say(encodeFileMessage({ type: 'done', id: randomBytes(16) }));
    say(encodeFileMessage({ type: 'accept', id: randomBytes(16), wanted: new Uint8Array(4) }));
    const offer = anOffer(10);
    say(offer.offer);
    await bed.bob.heard.heard('progress');
    say(offer.chunk(0));
    await bed.bob.heard.heard('received');
    const labels = bed.bob.heard.all('refused').map(([label]) => label);
    expect(labels).toEqual(['file-kind', 'file-kind', 'file-kind', 'file-length', 'file-reason']);
  });
});

describe('an attacker whose genuine grant does not allow the file', () => {
  it.each<[string, Allowed, EndReason]>([
    ['no files at all', { sendFiles: false }, 'not-allowed'],
    ['smaller ones', { maxFileBytes: 299_999 }, 'too-large'],
    ['other types', { fileTypes: '.pdf' }, 'type-not-allowed'],
  ])('S97, S98: reaches nobody when it allows %s', async (_, allowed, reason) => {
    bed.alice.client.allowed = allowed;
    const say = await attacker();
    const answers: Uint8Array[] = [];
    bed.alice.client.current!.meddle = (bytes) => {
      answers.push(bytes.slice());
      return bytes;
    };
    const { id, offer } = anOffer(300_000);
    say(offer);
    await until('he is answered', () => answers.length > 0);
    expect(answers).toEqual([encodeFileMessage({ type: 'end', id, reason })]);
    expect(bed.bob.heard.offers).toEqual([]);
  });

  it('S98: is stopped at the first chunk when its content is another', async () => {
    bed.alice.client.allowed = { fileTypes: '.pdf' };
    bed.willing();
    const say = await attacker();
    const { offer, chunk } = anOffer(300_000, 'a.pdf');
    say(offer);
    await bed.bob.heard.heard('progress');
    say(chunk(0));
    expect(await ended()).toBe('content-not-allowed');
    await until('nothing of it is left', () => readdirSync(bed.partFolder).length === 0);
  });

  it('is stopped when the grant ends and no newer one comes', async () => {
    bed.alice.client.allowed = { exp: Math.floor(Date.now() / 1_000) + 2 };
    bed.willing();
    const say = await attacker();
    const { offer, chunk } = anOffer(300_000);
    say(offer);
    await bed.bob.heard.heard('progress');
    say(chunk(0));
    expect(await ended()).toBe('grant-ended');
    expect(await bed.bobsFolder()).toEqual([]);
  });
});

describe('a receiver who lies', () => {
  const path = async () => {
    await mkdir(bed.alice.folder, { recursive: true });
    await writeFile(join(bed.alice.folder, 'a.bin'), randomBytes(300_000));
    return join(bed.alice.folder, 'a.bin');
  };
  /** Bob's program is silent: what he says comes from the test. */
  async function liar(answer: (id: Uint8Array) => readonly Uint8Array[]) {
    const session = await bed.alice.client.session();
    const bobs = bed.bob.client.current!;
    bobs.meddle = (bytes) => {
      if (bytes[0] === 2) for (const each of answer(bytes.slice(1, 17))) bobs.send('file', each);
      return Uint8Array.of(0);
    };
    expect(session.isEstablished).toBe(true);
    return bed.alice.files.send('peer', await path());
  }
  const grant = () => encodeFileMessage({ type: 'grant', token: ascii(bed.bob.client.grant()) });
  const wanted = ChunkSet.full(3).bytes();

  it.each<[string, (id: Uint8Array) => readonly Uint8Array[], EndReason]>([
    ['shows no grant', (id) => [encodeFileMessage({ type: 'accept', id, wanted })], 'no-grant'],
    [
      'asks for chunks that there are not',
      (id) => [grant(), encodeFileMessage({ type: 'accept', id, wanted: Uint8Array.of(0xff) })],
      'out-of-turn',
    ],
    [
      'asks twice',
      (id) => [
        grant(),
        encodeFileMessage({ type: 'accept', id, wanted }),
        encodeFileMessage({ type: 'accept', id, wanted }),
      ],
      'out-of-turn',
    ],
    [
      'is done before it began',
      (id) => [grant(), encodeFileMessage({ type: 'done', id })],
      'out-of-turn',
    ],
  ])('T42: gets nothing more when he %s', async (_, answer, reason) => {
    await expect(liar(answer)).rejects.toMatchObject({ code: 'ERR_FILE_REFUSED', reason });
  });
});
