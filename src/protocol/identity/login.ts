/*
 * Login: what a device key signs to prove itself to a gateway.
 *
 *   "sallyport login v1", 0
 *   2   length of the host name
 *   n   host name that the client dialled, lower case ASCII
 *  32   challenge of the gateway, used once
 *   1   binding     0 none, 1 TLS exporter (RFC 9266)
 *  32   exporter    zeros if there is none
 */
import { ascii, labelled, u8 } from '../bytes.js';
import { fieldOf } from './fields.js';

export const LOGIN_CHALLENGE_BYTES = 32;
export const TLS_EXPORTER_BYTES = 32;

/** A DNS name (RFC 1035, section 2.3.4) without a dot at its end, or an address without brackets. */
const HOST = /^[a-z0-9:]([a-z0-9.:-]{0,251}[a-z0-9:])?$/;

/** What a login is bound to. Without an exporter it holds only behind an ingress that the client's own settings name. */
export interface LoginStatement {
  readonly host: string;
  readonly challenge: Uint8Array;
  readonly exporter: Uint8Array | 'none';
}

/**
 * The bytes that the device key signs. Capitals in `host` are made small; a gateway must still compare it with its own
 * list of hosts.
 * @throws RangeError if the host is no name or address, or a field has a wrong length.
 */
export function loginSigningInput({ host, challenge, exporter }: LoginStatement): Uint8Array {
  const name = host.toLowerCase();
  if (!HOST.test(name)) throw new RangeError('this is no host name');
  return labelled('sallyport login v1', [
    { variable: ascii(name) },
    fieldOf('challenge', challenge, LOGIN_CHALLENGE_BYTES),
    u8(exporter === 'none' ? 0 : 1),
    exporter === 'none'
      ? new Uint8Array(TLS_EXPORTER_BYTES)
      : fieldOf('exporter', exporter, TLS_EXPORTER_BYTES),
  ]);
}
