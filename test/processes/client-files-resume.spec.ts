import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  open,
  readFile,
  rename,
  stat,
  truncate,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChunkSet } from '../../src/client/files/chunk-set.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { Clock } from '../../src/runtime/clock.js';
import { LoopBed, sha256 } from './client-files-bed.js';
import { until } from './relay-udp-endpoint.js';

const CHUNK = 131_072;
const SIZE = 5_000_000;
/** Of 5,000,000 bytes, padded: 5,111,808. */
const CHUNKS = 39;
const content = randomBytes(SIZE);
let bed: LoopBed;
let path: string;
beforeEach(async () => {
  bed = (await LoopBed.make()).willing();
  await mkdir(bed.alice.folder, { recursive: true });
  path = join(bed.alice.folder, 'a.bin');
  await writeFile(path, content);
});
afterEach(async () => {
  await bed.stop();
});

const send = () => bed.alice.files.send('peer', path, { retryForMs: 0 });
const received = async () => sha256(await readFile(join(bed.bob.folder, 'a.bin')));
const partPath = async () => {
  const name = (await bed.parts()).find((each) => each.endsWith('.part'));
  return join(bed.bob.folder, '.sallyport', name!);
};

/**
 * Lets `chunks` chunks through; then the session is lost, and does not come back for who sends now. Gives how many are
 * written: what waited for the disk is lost with the session.
 */
async function interruptedAfter(chunks: number): Promise<number> {
  const { client } = bed.alice;
  await client.session();
  let seen = 0;
  bed.bob.client.current!.meddle = (bytes) => {
    if (bytes[0] === 4 && ++seen > chunks) {
      bed.lose();
      client.session = () => Promise.reject(new Error('no network'));
    }
    return bytes;
  };
  const { session } = client;
  await expect(send()).rejects.toMatchObject({ code: 'ERR_FILE_INTERRUPTED' });
  client.session = session;
  await until('the session is over', () => bed.bob.heard.all('interrupted').length > 0);
  await until('the part is closed', () => !openFiles().some((name) => name.endsWith('.part')));
  return (await stat(await partPath())).size / CHUNK;
}

/** What this process has open. */
const openFiles = (): readonly string[] =>
  readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // It was that of the folder itself.
    }
  });

/** How many chunks the receiver gets until the file is there. */
async function chunksUntilDone(): Promise<number> {
  await bed.alice.client.session();
  let seen = 0;
  bed.bob.client.current!.meddle = (bytes) => {
    if (bytes[0] === 4) seen++;
    return bytes;
  };
  await send();
  return seen;
}

describe('a file whose session was lost', () => {
  it('S64: goes on by itself in the next session, and only what is missing goes again', async () => {
    await bed.alice.client.session();
    let seen = 0;
    const count = (bytes: Uint8Array) => {
      if (bytes[0] === 4 && ++seen === 20) bed.lose();
      return bytes;
    };
    const asked: number[] = [];
    const listen = () => {
      if (bed.bob.client.current) bed.bob.client.current.meddle = count;
      bed.alice.client.current!.meddle = (bytes) => {
        if (bytes[0] === 3) asked.push(ChunkSet.from(bytes.slice(17), CHUNKS)!.count);
        return bytes;
      };
    };
    listen();
    bed.alice.client.on('session', listen);
    await bed.alice.files.send('peer', path);
    expect(await received()).toBe(sha256(content));
    // Of nineteen that came most were written; the twentieth was lost with the session.
    expect(asked[0]).toBe(CHUNKS);
    expect(asked[1]).toBeGreaterThanOrEqual(CHUNKS - 19);
    expect(asked[1]).toBeLessThan(CHUNKS);
    expect(seen).toBe(20 + asked[1]!);
    expect(bed.alice.client.opened).toBe(2);
    expect(bed.bob.heard.offers).toHaveLength(1);
  });

  it('S64: goes on after both sides were started anew, without asking the person again', async () => {
    const written = await interruptedAfter(20);
    expect(written).toBeGreaterThan(0);
    bed.bobAgain();
    expect(await chunksUntilDone()).toBe(CHUNKS - written);
    expect(await received()).toBe(sha256(content));
    expect(bed.bob.heard.offers).toEqual([]);
    const parts = join(bed.bob.folder, '.sallyport');
    await until('the part is gone', () => readdirSync(parts).length === 0);
  });

  it('S63, S64: fetches again what was damaged meanwhile, and nothing else', async () => {
    const written = await interruptedAfter(20);
    const part = await open(await partPath(), 'r+');
    await part.write(Buffer.from('damaged'), 0, 7, 2 * CHUNK + 5);
    await part.write(Buffer.from('damaged'), 0, 7, CHUNK);
    await part.close();
    bed.bobAgain();
    expect(await chunksUntilDone()).toBe(CHUNKS - written + 2);
    expect(await received()).toBe(sha256(content));
  });

  it('S64: fetches the end again when it was cut off, and forgets what was put behind it', async () => {
    const written = await interruptedAfter(20);
    const part = await open(await partPath(), 'r+');
    await part.truncate((written - 1) * CHUNK - 1);
    await part.close();
    bed.bobAgain();
    expect(await chunksUntilDone()).toBe(CHUNKS - written + 2);
    expect(await received()).toBe(sha256(content));
  });

  it('S64: is cut to its size when something was written behind its end', async () => {
    await interruptedAfter(38);
    await appendFile(await partPath(), randomBytes(300_000));
    bed.bobAgain();
    await send();
    expect(await received()).toBe(sha256(content));
  });

  it('T42: is not mixed with another file of the same name and size', async () => {
    await interruptedAfter(20);
    const other = randomBytes(SIZE);
    await writeFile(path, other);
    bed.bobAgain();
    bed.willing();
    expect(await chunksUntilDone()).toBe(CHUNKS);
    expect(await received()).toBe(sha256(other));
    expect((await bed.parts()).length).toBe(2);
  });

  it('T42: takes no space before its bytes come', async () => {
    expect(await interruptedAfter(2)).toBeLessThanOrEqual(2);
  });
});

describe('a file that has its name when the receiver is killed before the sender knows', () => {
  /** As a crash leaves it: the part and the file are one, and the record is there. */
  async function releasedButNotTold(): Promise<void> {
    await bed.alice.client.session();
    bed.alice.client.current!.meddle = (bytes) => {
      if (bytes[0] === 5) bed.lose();
      if (bytes[0] === 5) bed.alice.client.session = () => Promise.reject(new Error('no network'));
      return bytes[0] === 5 ? Uint8Array.of(0) : bytes;
    };
    const { session } = bed.alice.client;
    await expect(send()).rejects.toMatchObject({ code: 'ERR_FILE_INTERRUPTED' });
    bed.alice.client.session = session;
    expect(await bed.bobsFolder()).toEqual(['a.bin']);
    expect((await bed.parts()).length).toBe(2);
  }

  it('is not received a second time', async () => {
    await releasedButNotTold();
    bed.bobAgain();
    expect(await chunksUntilDone()).toBe(0);
    expect(await bed.bobsFolder()).toEqual(['a.bin']);
    expect(bed.bob.heard.all('received')[0]![1]).toBe(join(bed.bob.folder, 'a.bin'));
  });

  it('keeps another name that the person gave it', async () => {
    await releasedButNotTold();
    await rename(join(bed.bob.folder, 'a.bin'), join(bed.bob.folder, 'mine.bin'));
    bed.bobAgain();
    expect(await chunksUntilDone()).toBe(0);
    expect(await bed.bobsFolder()).toEqual(['mine.bin']);
  });

  it('is left alone when the person has changed it: the file comes anew beside it', async () => {
    await releasedButNotTold();
    await writeFile(join(bed.bob.folder, 'a.bin'), 'my own words');
    bed.bobAgain();
    expect(await chunksUntilDone()).toBe(CHUNKS);
    expect(await readFile(join(bed.bob.folder, 'a.bin'), 'utf8')).toBe('my own words');
    expect(await bed.bobsFolder()).toEqual(['a (2).bin', 'a.bin']);
  });
});

describe('a part that was left behind', () => {
  it('is let go after thirty days, and not before', async () => {
    await interruptedAfter(2);
    const later = (days: number): Clock => ({
      now: () => new Date(Date.now() + days * 86_400_000),
      monotonicMs: () => performance.now(),
    });
    const opening = async (days: number) => {
      const files = new FileTransfers(bed.bob.client, {
        ...{ folder: bed.bob.folder, backend: nodeBackend, clock: later(days) },
      });
      await files.resume();
      files.close();
      return (await bed.parts()).length;
    };
    expect(await opening(29)).toBe(2);
    expect(await opening(31)).toBe(0);
  });
});

describe('a sender who changes his mind', () => {
  it('ends the transfer, and the receiver is told why', async () => {
    await writeFile(path, randomBytes(30_000_000));
    const mind = new AbortController();
    const sending = bed.alice.files.send('peer', path, { signal: mind.signal });
    await bed.bob.heard.heard('progress');
    mind.abort(new Error('no, wait'));
    await expect(sending).rejects.toThrow('no, wait');
    expect((await bed.bob.heard.heard('ended'))[1]).toBe('cancelled');
  });

  it('ends everything by closing', async () => {
    await writeFile(path, randomBytes(30_000_000));
    const sending = bed.alice.files.send('peer', path);
    await bed.bob.heard.heard('progress');
    bed.alice.files.close();
    await expect(sending).rejects.toMatchObject({ code: 'ERR_FILE_CLOSED' });
    expect((await bed.bob.heard.heard('ended'))[1]).toBe('cancelled');
  });
});

describe('a folder that cannot be used', () => {
  it('refuses files, until it can', async () => {
    await mkdir(bed.bob.folder);
    await symlink('/tmp', join(bed.bob.folder, '.sallyport'));
    await expect(send()).rejects.toMatchObject({ reason: 'disk-failed' });
    await unlink(join(bed.bob.folder, '.sallyport'));
    await send();
    expect(await received()).toBe(sha256(content));
  });
});

describe('a channel that is slower than the disk', () => {
  it('is waited for: what was read and has not gone is less than the channel takes', async () => {
    await truncate(path, 60_000_000);
    await bed.alice.client.session();
    const before = process.memoryUsage().arrayBuffers;
    bed.bob.client.current!.meddle = (bytes) => {
      if (bytes[0] === 4) bed.bob.client.current!.pause();
      return bytes;
    };
    const sending = send();
    sending.catch(() => undefined);
    await bed.bob.heard.heard('progress');
    // As long as reading all of it takes on a busy machine.
    await delay(1_500);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 << 20);
    bed.alice.files.close();
    await expect(sending).rejects.toMatchObject({ code: 'ERR_FILE_CLOSED' });
  });
});

describe('a receiver who is behind', () => {
  it('stops the channel before five megabytes wait, and goes on when it has caught up', async () => {
    const { client } = bed.bob;
    const { request } = client;
    let answer: (() => void) | undefined;
    // The gateway is slow to say what Bob may; meanwhile everything waits.
    client.request = ((name: 'grant.issue', body: Record<string, never>) =>
      new Promise((resolve) => {
        answer = () => {
          client.request = request;
          resolve(request(name, body) as never); // There is one request, and this is its answer.
        };
      })) as typeof request;
    const sending = send();
    await until('the gateway is asked', () => answer !== undefined);
    const session = bed.alice.client.current!;
    const nonsense = new Uint8Array(100_000).fill(9);
    const pushed = async (): Promise<number> => {
      for (let count = 0; count < 500; count++) {
        try {
          session.send('file', nonsense);
        } catch {
          await delay(20);
          if (session.mostBuffered >= 1 << 20 && count > 40) return count * nonsense.length;
        }
        await new Promise(setImmediate);
      }
      return 500 * nonsense.length;
    };
    expect(await pushed()).toBeLessThan(8 << 20);
    answer!();
    await sending;
    expect(await received()).toBe(sha256(content));
  });
});

describe('a file that changes while it is sent', () => {
  it('ends the transfer, and nothing of it is released', async () => {
    await bed.alice.client.session();
    bed.bob.client.current!.meddle = (bytes) => {
      if (bytes[0] === 2) void writeFile(path, randomBytes(SIZE));
      return bytes;
    };
    await expect(send()).rejects.toMatchObject({ reason: 'file-changed' });
    await bed.bob.heard.heard('ended');
    expect(await bed.bobsFolder()).toEqual([]);
  });
});
