import type { CallMode } from '../../protocol/channels/plaintext-size.js';
import type { Clock } from '../../runtime/clock.js';
import type { GatewayEntry } from '../gateway/gateway-place.js';
import type { ProveSecondFactor } from '../gateway/gateway.connection.js';
import type { IdentityFile } from '../identity/identity.file.js';
import type { ContactPolicy } from './contact-book.js';

/** What a client is made of. */
export interface ClientOptions {
  /** An open identity file; it stays its owner's to close, after the client. */
  readonly identity: IdentityFile;
  /** In the order in which they are tried. */
  readonly gateways: readonly GatewayEntry[];
  /** Asks the person for a second factor. Without it a login that needs one ends with `no-second-factor`. */
  readonly secondFactor?: ProveSecondFactor;
  /** A single-use code with which a new account gets in. */
  readonly invite?: string;
  /** `{ changedKeys: 'Warn', unverified: 'Allow' }` if nothing is said. */
  readonly policy?: ContactPolicy;
  readonly callMode?: CallMode;
  /** Region of relays to be preferred. */
  readonly region?: string;
  /** Local address of UDP sockets. */
  readonly bind?: string;
  readonly clock?: Clock;
}
