/*
 * The names that the seed's own tests use: `reforms` and `createSession`, over sessions as endpoints have them, from the
 * handshake on.
 */
import { randomFillSync } from 'node:crypto';
import { KeyStore } from '../../src/protocol/key-store.js';
import { open, seal, twoSessions, type TestSession } from '../session/two-sessions.js';

/** Where the randomness of a session comes from. */
export type Random = (out: Uint8Array) => void;

const unpredictable: Random = (out) => {
  randomFillSync(out);
};

/** A key store that tells which secrets it holds. */
class ToldKeyStore extends KeyStore {
  readonly #taken: Uint8Array[] = [];

  override take(length: number): Uint8Array {
    const slice = super.take(length);
    this.#taken.push(slice);
    return slice;
  }

  /** Copies of all that is live now, as hexadecimal digits. */
  get held(): readonly string[] {
    const live = this.#taken.filter((slice) => this.isLive(slice));
    return live.map((slice) => Buffer.from(slice).toString('hex'));
  }
}

/** One session between the same two people. */
export interface SeedSession {
  /** Secrets that the first of them holds after the handshake, as hexadecimal digits. */
  readonly keys: readonly string[];
  /** What the other one holds. */
  readonly peerKeys: readonly string[];
  readonly ends: readonly [TestSession, TestSession];
}

/** A new session. With the same `random` numbers it would be the same one. */
export function createSession(
  random: readonly [Random, Random] = [unpredictable, unpredictable],
): Promise<SeedSession> {
  const [alices, bobs] = [new ToldKeyStore(), new ToldKeyStore()];
  const { alice, bob } = twoSessions(
    { keys: alices, random: random[0] },
    { keys: bobs, random: random[1] },
  );
  return Promise.resolve({ keys: alices.held, peerKeys: bobs.held, ends: [alice, bob] });
}

/** Two people with one session: what the first encrypts the second decrypts, once. */
export class Reforms {
  private constructor(private readonly ends: SeedSession['ends']) {}

  static async begin(): Promise<Reforms> {
    return new Reforms((await createSession()).ends);
  }

  /** The datagram that carries `message`, one character for each byte. */
  encrypt(message: string): Promise<string> {
    const datagram = seal(this.ends[0], Buffer.from(message));
    return Promise.resolve(Buffer.from(datagram).toString('latin1'));
  }

  /** @throws Error with the reason if it is not what `encrypt` gave, or was decrypted before. */
  decrypt(encrypted: string): Promise<string> {
    const plaintext = open(this.ends[1], Buffer.from(encrypted, 'latin1'));
    if (typeof plaintext === 'string') throw new Error(plaintext);
    return Promise.resolve(Buffer.from(plaintext).toString());
  }
}
