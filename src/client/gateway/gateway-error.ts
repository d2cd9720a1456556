/** What a call to a gateway ended with. Match on these, never on message text. */
export type GatewayErrorCode =
  | 'ERR_GATEWAY_ADDRESS' // A gateway's address is not `wss://HOST[:PORT]`, or the list of gateways is empty.
  | 'ERR_GATEWAY_INSECURE' // `ws://` or `http://`: nothing is ever sent without TLS.
  | 'ERR_GATEWAY_PIN' // A gateway has no pin, or one that is not `sha256/<base64>` of 32 bytes.
  | 'ERR_GATEWAY_AWAY' // No gateway is connected now; the client goes on trying.
  | 'ERR_GATEWAY_DEADLINE' // The gateway did not answer in time; whether it did what was asked is not known.
  | 'ERR_GATEWAY_BUSY' // Too many requests are unanswered, or the network takes no more.
  | 'ERR_GATEWAY_REFUSED' // The gateway refused the request; `reason` is one of REQUEST_REFUSALS.
  | 'ERR_GATEWAY_LOGIN' // The gateway refused the login; `reason` is one of LOGIN_REFUSALS.
  | 'ERR_GATEWAY_CLOSED'; // The client was closed.

/** Why a gateway cannot be used, or did not do what was asked. No text of the network is in it. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: GatewayErrorCode,
    message: string,
    more: { readonly reason?: string; readonly retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message);
    this.reason = more.reason;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}
