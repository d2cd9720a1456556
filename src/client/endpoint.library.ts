/*
 * What `import ... from 'sallyport/client'` gives: an identity in its file, and a client that connects it to a gateway and
 * to contacts. docs/client.md has an example.
 */
export { chooseBackend } from '../crypto/backend.chooser.js';
export { CallError } from './calls/call-error.js';
export { Calls } from './calls/calls.runner.js';
export type { FactorKind, FactorProof } from '../messages/fields.js';
export type { AnswerBody, RequestBody, RequestName } from '../messages/requests.js';
export type { LoginRefusal, RequestRefusal, Welcome } from '../messages/signaling.js';
export { fingerprintOf, parseFingerprint } from '../protocol/identity/account.js';
export { CloseReason } from '../protocol/session/control-message.js';
export type { Clock } from '../runtime/clock.js';
export { Client } from './contacts/client.runner.js';
export type { Delivery } from './contacts/chats.js';
export type { ClientEvents } from './contacts/client-events.js';
export type { ClientOptions } from './contacts/client-options.js';
export type { Contact, ContactPolicy, ContactState, PathPolicy } from './contacts/contact-book.js';
export { ContactError, type ContactErrorCode } from './contacts/contact-error.js';
export type { ContactSession } from './contacts/contact.session.js';
export type { DeliveryState } from './contacts/outbox.js';
export { EndpointError, type EndpointErrorCode } from './endpoint-error.js';
export { ClamdScanner, type FileScanner } from './files/clamd.scanner.js';
export type { EndReason } from './files/end-reason.js';
export { FileTransferError, type FileTransferErrorCode } from './files/transfer-error.js';
export type {
  AcceptFile,
  FileTransferEvents,
  IncomingName,
  OfferedFile,
} from './files/transfer-events.js';
export type { TransferProgress } from './files/transfer-progress.js';
export {
  FileTransfers,
  type FileTransfersOptions,
  type SendOptions,
  type SentFile,
} from './files/transfers.runner.js';
export { GatewayError, type GatewayErrorCode } from './gateway/gateway-error.js';
export type { GatewayEntry } from './gateway/gateway-place.js';
export type { ProveSecondFactor, SecondFactorWanted } from './gateway/gateway.connection.js';
export type { LinkEnd } from './gateway/gateway.link.js';
export { IdentityError, type IdentityErrorCode } from './identity/identity-error.js';
export { IdentityFile, type IdentityPlace } from './identity/identity.file.js';
export { Identity, type TypedPhrase } from './identity/identity.js';
export { judgePassphrase, type PassphraseRefusal } from './identity/passphrase.js';
