/*
 * What the room of leases reads, as the wiring gives it: always the newest content that was good.
 */
import type { BundleRole } from '../../policy/roles.js';
import type { GatewayKeys } from './lease-keys.js';
import type { RelayPlaces } from './relay-directory.js';

/** Live views of mounted files. */
export interface LeaseFiles {
  /** Undefined before the lease keys could be read: nothing is signed then. */
  keys(): GatewayKeys | undefined;
  /** Undefined before relays.json could be read: no relay may register then. */
  relays(): RelayPlaces | undefined;
  /** Roles of the verified policy bundle that this account has now. */
  rolesOf(account: string): readonly BundleRole[];
}
