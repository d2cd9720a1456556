import type { GrantClaims } from '../../protocol/lease/grant.js';

/** What somebody does in a call. Who is called joins it. */
export type CallPart = 'start' | 'join';

/**
 * Why a part in a call is refused: by the grant of this side, or by that of the peer, which has shown none that holds
 * (`peer-no-grant`) or one that does not say it. A closed list: each is a metric label.
 */
export type CallRefusal = 'no-grant' | 'not-allowed' | 'peer-no-grant' | 'peer-not-allowed';

/** What a grant says of calls. */
export type CallLimits = Pick<GrantClaims, 'startCalls' | 'joinCalls'>;

/** The grants of both sides, each as far as it holds. */
export interface CallGrants {
  readonly own: CallLimits | undefined;
  readonly peer: CallLimits | undefined;
}

/** Why this side's grant does not allow that part in a call; undefined if it does. Without a grant nothing is allowed. */
export function judgeCall(limits: CallLimits | undefined, part: CallPart): CallRefusal | undefined {
  if (limits === undefined) return 'no-grant';
  return isAllowed(limits, part) ? undefined : 'not-allowed';
}

/**
 * Why a frame of the peer is not given out, when this side has `part` in the call: both grants have to allow the part of
 * their side, and one of the two has started.
 */
export function judgeFrame({ own, peer }: CallGrants, part: CallPart): CallRefusal | undefined {
  const refusal = judgeCall(own, part);
  if (refusal !== undefined) return refusal;
  if (peer === undefined) return 'peer-no-grant';
  return isAllowed(peer, part === 'start' ? 'join' : 'start') ? undefined : 'peer-not-allowed';
}

const isAllowed = ({ startCalls, joinCalls }: CallLimits, part: CallPart): boolean =>
  part === 'start' ? startCalls : joinCalls;
