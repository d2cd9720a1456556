/*
 * What the seed calls the server's logs: all that a gateway writes and keeps, and the matchers that look for what must not
 * be in it.
 */
import { expect } from '@jest/globals';

/** All that servers wrote and kept of what `told` says. */
export interface ServerLogs {
  /** Log, audit records and metrics of gateway and relay. */
  readonly texts: ReadonlyMap<string, string>;
  /** Files of the database. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly told: Told;
}

/** What people said and are. */
export interface Told {
  readonly content: readonly string[];
  /** Names, words of phrases as one text, private keys: nobody but their owner has them. */
  readonly secrets: readonly (string | Uint8Array)[];
  /** Fingerprints, devices: the database knows accounts by them, and what is written down does not. */
  readonly pseudonyms: readonly string[];
}

const forms = (secret: string | Uint8Array): readonly Buffer[] => {
  const bytes = Buffer.from(secret);
  if (typeof secret === 'string') return [bytes, Buffer.from(bytes.toString('base64url'))];
  const texts = [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
  return [bytes, ...texts.map((text) => Buffer.from(text))];
};

const everything = ({ texts, files }: ServerLogs): readonly (readonly [string, Buffer])[] => [
  ...[...texts].map(([name, text]) => [name, Buffer.from(text)] as const),
  ...files,
];

/** Where `wanted` stands. */
function placesOf(
  wanted: readonly (string | Uint8Array)[],
  where: readonly (readonly [string, Buffer])[],
): readonly string[] {
  const found = where.filter(([, bytes]) =>
    wanted.some((secret) => forms(secret).some((form) => bytes.includes(form))),
  );
  return found.map(([name]) => name);
}

const verdict = (what: string, places: readonly string[]) => ({
  pass: places.length > 0,
  message: () => `${what} in: ${places.join(', ') || 'nothing'}`,
});

expect.extend({
  toContainMessageContent(logs: ServerLogs) {
    return verdict('message content', placesOf(logs.told.content, everything(logs)));
  },
  toContainUserIdentities(logs: ServerLogs) {
    const written = everything({ ...logs, files: new Map() });
    const places = [
      ...placesOf(logs.told.secrets, everything(logs)),
      ...placesOf(logs.told.pseudonyms, written),
    ];
    return verdict('identities', places);
  },
});

declare module 'expect' {
  interface Matchers<R> {
    toContainMessageContent(): R;
    toContainUserIdentities(): R;
  }
}
