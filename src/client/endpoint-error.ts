/** What a caller of the endpoint did wrong. Match on these, never on message text. */
export type EndpointErrorCode =
  | 'ERR_ENDPOINT_CLOSED' // The endpoint was closed, or its session ended: its keys are gone.
  | 'ERR_ENDPOINT_NOT_CONNECTED' // No session exists yet: wait for `established`.
  | 'ERR_ENDPOINT_KEY_LENGTH' // A key or an id has another length than its kind has.
  | 'ERR_ENDPOINT_PIN' // A pin is not `sha256/<base64>` of 32 bytes, or there is none.
  | 'ERR_ENDPOINT_ADDRESS' // An address is not an IP address, or a port is not one.
  | 'ERR_ENDPOINT_RELAY'; // A lease is renewed that is for none of the endpoint's relays.

/** A mistake of the program that uses an endpoint, never of the network; nothing was sent. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  constructor(
    readonly code: EndpointErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Of a message for a session that is not there, or not any more. */
export const notConnected = (isOver: boolean): EndpointError =>
  isOver
    ? new EndpointError('ERR_ENDPOINT_CLOSED', 'the conversation is over: its keys are erased')
    : new EndpointError('ERR_ENDPOINT_NOT_CONNECTED', 'there is no session yet');

/** @throws EndpointError ERR_ENDPOINT_KEY_LENGTH unless `bytes` has `length` bytes; `what` names it, never shows it. */
export function requireKeyLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new EndpointError(
      'ERR_ENDPOINT_KEY_LENGTH',
      `${what} has ${bytes.length} bytes, not ${length}`,
    );
}
