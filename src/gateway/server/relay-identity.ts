/*
 * Which relay pool a client certificate is. A name counts only when the authority of its own namespace issued it: who
 * holds the authority of one namespace cannot be a pool of another.
 */
import { X509Certificate } from 'node:crypto';
import { uriNames } from '../../runtime/leaf-files.js';

/** Certificates of authorities by the namespace for which they speak. */
export type RelayTrust = ReadonlyMap<string, readonly X509Certificate[]>;

const POOL =
  /^spiffe:\/\/([a-z0-9-]+)\.sallyport\/ns\/([a-z0-9-]{1,63})\/RelayPool\/[a-z0-9.-]{1,253}$/;

/** The URI of the pool whose certificate `der` is; undefined if it is none that may register here. */
export function relayIdentity(
  der: Uint8Array,
  { installId, trust }: { readonly installId: string; readonly trust: RelayTrust },
): string | undefined {
  const leaf = new X509Certificate(der);
  const names = uriNames(leaf.subjectAltName ?? '');
  const uri = names?.length === 1 ? (names[0] ?? '') : '';
  const [, install, namespace = ''] = POOL.exec(uri) ?? [];
  if (install !== installId) return undefined;
  const authorities = trust.get(namespace) ?? [];
  const isIssued = authorities.some((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
  return isIssued ? uri : undefined;
}
