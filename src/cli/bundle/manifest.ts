/*
 * The manifest of an air-gap bundle, and what an archive looks like that it describes. Every byte of the archive follows
 * from the manifest and the files that it names: headers are written one way only, padding is zero, nothing stands
 * between or after. Whoever flips a byte anywhere is found.
 *   manifest.json   this manifest, JSON
 *   manifest.sig    64 bytes: Ed25519 over "sallyport bundle v1", 0, SHA-256 of manifest.json
 *   FILES           in the order of the manifest
 */
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/value';
import { labelled } from '../../protocol/bytes.js';

/** Names of the first two entries. */
export const MANIFEST_FILE = 'manifest.json';
/** See `MANIFEST_FILE`. */
export const SIGNATURE_FILE = 'manifest.sig';
/** A manifest of a hundred files has 20 kB. */
export const MAX_MANIFEST_BYTES = 1 << 20;
/** Ed25519 (RFC 8032, 5.1.6). */
export const SIGNATURE_BYTES = 64;
/** Mode of every entry. */
export const FILE_MODE = 0o644;

const LABEL = 'sallyport bundle v1';
const MAX_FILES = 10_000;
const MAX_FILE_BYTES = 2 ** 33;

/** Relative, no part begins with a dot or dash: nothing leaves the folder, and nothing reads as an option. */
const PATH = '^[A-Za-z0-9_][A-Za-z0-9._@+-]*(/[A-Za-z0-9_][A-Za-z0-9._@+-]*)*$';
const VERSION = '^(0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})$';
const closed = { additionalProperties: false } as const;

const manifestSchema = Type.Object(
  {
    v: Type.Literal(1),
    name: Type.Literal('sallyport'),
    version: Type.String({ pattern: VERSION }),
    revision: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
    /** Seconds since 1970; also the time of every entry. */
    created: Type.Integer({ minimum: 0, maximum: 0o77777777777 }),
    image: Type.Object(
      {
        repository: Type.String({ pattern: '^[a-z0-9][a-zA-Z0-9./:_-]{0,254}$' }),
        tag: Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$' }),
        digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
        archive: Type.String({ pattern: PATH, maxLength: 200 }),
      },
      closed,
    ),
    files: Type.Array(
      Type.Object(
        {
          path: Type.String({ pattern: PATH, maxLength: 200 }),
          size: Type.Integer({ minimum: 0, maximum: MAX_FILE_BYTES }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
        },
        closed,
      ),
      { minItems: 1, maxItems: MAX_FILES },
    ),
  },
  closed,
);

/** What a bundle holds and which release it is. */
export type BundleManifest = Static<typeof manifestSchema>;

/** Why an archive is not taken. A closed list. */
export type BundleRefusal =
  | 'no-bundle' // It does not begin as one.
  | 'unsigned'
  | 'strange-signer' // No given key made the signature, or the manifest was changed.
  | 'manifest-malformed' // Signed, but of another release of this program.
  | 'older-version'
  | 'changed' // A file, a header or padding is not as the manifest says.
  | 'cut-short'
  | 'trailing-bytes';

/** The manifest as bytes, to be signed and sent as they are. */
export const encodeManifest = (manifest: BundleManifest): Buffer =>
  Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);

const signedBytes = (manifest: Uint8Array): Uint8Array =>
  labelled(LABEL, [createHash('sha256').update(manifest).digest()]);

/** The signature over a manifest. `key` is a private key of Ed25519. */
export const signManifest = (manifest: Uint8Array, key: KeyObject): Buffer =>
  sign(null, signedBytes(manifest), key);

/** The manifest that one of `signers` has signed, or why it is none. Reads nothing of it before the signature holds. */
export function openManifest(
  bytes: Uint8Array,
  signature: Uint8Array,
  signers: readonly KeyObject[],
): BundleManifest | BundleRefusal {
  const message = signedBytes(bytes);
  if (!signers.some((key) => verify(null, message, key, signature))) return 'strange-signer';
  const value = parsed(bytes);
  if (!Check(manifestSchema, value)) return 'manifest-malformed';
  return isConsistent(value) ? value : 'manifest-malformed';
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isConsistent({ files, image }: BundleManifest): boolean {
  const names = new Set(files.map(({ path }) => path));
  return names.size === files.length && names.has(image.archive);
}

/** Whether `version` comes before `installed`; both are three numbers with dots between. */
export function isOlder(version: string, installed: string): boolean {
  const [a, b] = [version, installed].map((text) => text.split('.').map(Number));
  const at = [0, 1, 2].find((index) => a?.[index] !== b?.[index]);
  return at !== undefined && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}

/** Whether `text` is a version as releases of ours have it. */
export const isVersion = (text: string): boolean => new RegExp(VERSION).test(text);

/** The public key in a PEM text; undefined for text that holds none, or one of another algorithm. */
export function signerIn(pem: string): KeyObject | undefined {
  // `createPublicKey` would also take a private key and derive from it: whoever has that here is mistaken.
  if (!pem.includes('BEGIN PUBLIC KEY')) return undefined;
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}
