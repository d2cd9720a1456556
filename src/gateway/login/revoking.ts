/*
 * Revocations of devices: judged, kept for ever, and carried out at once.
 */
import { equalBytes } from '../../protocol/bytes.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { MAX_REVOCATIONS_PER_ACCOUNT } from '../../protocol/identity/revocation-set.js';
import { decodeRevocation, verifyRevocation } from '../../protocol/identity/revocation.js';
import type { Connection } from '../caller.js';
import type { Store } from '../store.js';
import type { AuthRecord } from './auth-record.js';
import type { Endings } from './endings.js';
import type { Subject } from './second-factors.js';

/** What revoking needs. */
export interface RevokingContext {
  readonly store: Store;
  readonly backend: CryptoBackend;
  readonly endings: Endings;
  readonly record: AuthRecord;
}

/** What became of a revocation. */
export type Revoked = 'revoked' | 'known' | 'invalid' | 'of-another' | 'too-many';

/** Device ids (base64url) that signed revocations name. */
export const revokedDevices = (revocations: readonly Uint8Array[]): ReadonlySet<string> =>
  new Set(
    revocations.flatMap((bytes) => {
      const revocation = decodeRevocation(bytes);
      return typeof revocation === 'string' ? [] : [base64url(revocation.deviceId)];
    }),
  );

/** Whether these bytes are a revocation that the account itself signed. */
export function isOwnRevocation(
  backend: CryptoBackend,
  { identity }: Subject,
  bytes: Uint8Array,
): boolean {
  const checked = verifyRevocation(backend, bytes);
  return typeof checked !== 'string' && equalBytes(checked.identity, identity);
}

/**
 * Keeps one revocation of `subject` and ends what its device has open. `known` are those kept so far; one more than
 * 1,024 closes the account for good, as everybody who hears of them does.
 */
export async function revokeDevice(
  { store, backend, endings, record }: RevokingContext,
  subject: Subject,
  revocation: { readonly bytes: Uint8Array; readonly known: readonly Uint8Array[] },
  asking?: Connection,
): Promise<Revoked> {
  const { bytes, known } = revocation;
  if (known.some((kept) => equalBytes(kept, bytes))) return 'known';
  const checked = verifyRevocation(backend, bytes);
  if (typeof checked === 'string') return 'invalid';
  if (!equalBytes(checked.identity, subject.identity)) return 'of-another';
  const device = base64url(checked.deviceId);
  if (revokedDevices(known).has(device)) return 'known';
  if (known.length > MAX_REVOCATIONS_PER_ACCOUNT) return 'too-many';
  if (!(await store.addRevocation(subject.account, device, bytes))) return 'known';
  await endings.sessions({ account: subject.account, device }, asking);
  record.happened('device.revoke', subject.account);
  return 'revoked';
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
