import type { Caller, Connection, RequestContext } from '../caller.js';

/** A connection whose caller can be replaced. */
export interface CallersConnection extends Connection {
  become(caller: Caller): void;
}

/** One request as its handler sees it. A class, so that no request makes functions of its own. */
export class Turn implements RequestContext {
  decidedBy?: string;

  /** `now` in Unix milliseconds. */
  constructor(
    readonly connection: CallersConnection,
    readonly caller: Caller,
    readonly now: number,
  ) {}

  become(caller: Caller): void {
    this.connection.become(caller);
  }
}
