import type { CallRefusal } from './call-permission.js';

/** A part in a call that the roles of this account do not allow. Match on `reason`. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code = 'ERR_CALL_REFUSED';

  constructor(readonly reason: CallRefusal) {
    super(`This endpoint may not take part in the call: ${reason}.`);
  }
}
