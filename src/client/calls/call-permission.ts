import type { GrantClaims } from '../../protocol/lease/grant.js';

/** What somebody does in a call. Who is called joins it. */
export type CallPart = 'start' | 'join';

/** Why a part in a call is refused. A closed list: each is a metric label. */
export type CallRefusal = 'no-grant' | 'not-allowed';

/** What a grant says of calls. */
export type CallLimits = Pick<GrantClaims, 'startCalls' | 'joinCalls'>;

/** Why a grant does not allow that part in a call; undefined if it does. Without a grant nothing is allowed. */
export function judgeCall(limits: CallLimits | undefined, part: CallPart): CallRefusal | undefined {
  if (limits === undefined) return 'no-grant';
  return (part === 'start' ? limits.startCalls : limits.joinCalls) ? undefined : 'not-allowed';
}
