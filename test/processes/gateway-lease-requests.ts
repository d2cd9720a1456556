/* What tests of the room of leases ask for, and what they read in the answers. */
import type { RequestContext } from '../../src/gateway/caller.js';
import { aLeaseRequest, LeaseBed } from './gateway-leases-bed.js';

/** The answer to `lease.issue`. */
export type Issued = { lease: string; jti: string; expiresAt: number };

/** Asks for a lease, and gives the answer or refusal. */
export const ask = async (bed: LeaseBed, request = aLeaseRequest(), as = bed.connect()) =>
  bed.room.handlers['lease.issue']!(request, { ...as, now: bed.nowMs });

/** A lease that is given. */
export const issued = async (bed: LeaseBed, as?: RequestContext) =>
  (await ask(bed, aLeaseRequest(), as as ReturnType<LeaseBed['connect']>)) as Issued;

/** The actions that are on record, in their order. */
export const actions = (bed: LeaseBed) => bed.audit.map(({ action }) => action);

/** A gateway with one live relay. */
export const aBed = () => {
  const bed = new LeaseBed();
  return { bed, relay: bed.relay() };
};

/** Key id in the footer of a lease. */
export const kidOf = ({ lease }: Issued): string =>
  (JSON.parse(Buffer.from(lease.split('.')[3]!, 'base64url').toString()) as { kid: string }).kid;
