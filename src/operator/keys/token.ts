import { createHash } from 'node:crypto';

/** What stands for a rotate token once it was acted upon: not the token, which a user may have chosen badly. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 32);
}
