import type { CryptoContext } from '../../protocol/key-store.js';
import type { GrantClaims } from '../../protocol/lease/grant.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';
import type { Clock } from '../../runtime/clock.js';
import type { FileScanner } from './clamd.scanner.js';
import type { GrantHolder, OwnGrant } from './grant.holder.js';
import type { PartFolder } from './part.folder.js';
import type { AcceptFile, EmitTransfer } from './transfer-events.js';

/** What all transfers of one endpoint have in common. */
export interface TransferHost {
  readonly context: CryptoContext;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly grants: GrantHolder;
  readonly folder: () => Promise<PartFolder>;
  readonly scanner: FileScanner | undefined;
  readonly accept: AcceptFile;
  readonly emit: EmitTransfer;
}

/** What a transfer needs of the channel to its peer. */
export interface TransferPeer {
  readonly fingerprint: string;
  /** What the peer has shown in this session. */
  readonly grant: GrantClaims | undefined;
  /** Gives a message to the channel, now or when it takes one; `acknowledged` is called when the peer has it. */
  post(bytes: Uint8Array, acknowledged?: () => void): void;
  /** As `post`, but false, and nothing happens, while the channel is full or gone. */
  offer(bytes: Uint8Array, acknowledged: () => void): boolean;
  /** Shows this side's grant if the peer has not seen it. @throws GatewayError. */
  showGrant(): Promise<OwnGrant>;
}
