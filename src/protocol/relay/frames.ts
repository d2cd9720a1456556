/*
 * All frames of a relay behind one door. Each type has its own decoder too, for who expects only that one.
 */
import {
  decodeCookie,
  decodeHello,
  decodeProve,
  decodeProved,
  decodeRefused,
  type Cookie,
  type Hello,
  type Prove,
  type Proved,
  type Refused,
} from './admission.js';
import { decodeBye, decodeMove, type Bye, type Move } from './departure.js';
import {
  frameRefusal,
  frameType,
  isRelayType,
  RelayType,
  type RelayFrameRefusal,
  type RelayTypeCode,
} from './header.js';
import {
  decodeForward,
  decodeLeaseAck,
  decodeLeasePresent,
  decodeLeaseReject,
  decodeLeaseRenew,
  type Forward,
  type LeaseAck,
  type LeasePresent,
  type LeaseReject,
  type LeaseRenew,
} from './version-1.js';

/** Any frame; `type` tells which. */
export type RelayFrame =
  | LeasePresent
  | LeaseAck
  | LeaseReject
  | LeaseRenew
  | Forward
  | Hello
  | Cookie
  | Prove
  | Move
  | Bye
  | Proved
  | Refused;

const DECODERS: Readonly<
  Record<RelayTypeCode, (bytes: Uint8Array) => RelayFrame | RelayFrameRefusal>
> = {
  [RelayType.leasePresent]: decodeLeasePresent,
  [RelayType.leaseAck]: decodeLeaseAck,
  [RelayType.leaseReject]: decodeLeaseReject,
  [RelayType.leaseRenew]: decodeLeaseRenew,
  [RelayType.forward]: decodeForward,
  [RelayType.hello]: decodeHello,
  [RelayType.cookie]: decodeCookie,
  [RelayType.prove]: decodeProve,
  [RelayType.move]: decodeMove,
  [RelayType.bye]: decodeBye,
  [RelayType.proved]: decodeProved,
  [RelayType.refused]: decodeRefused,
};

/** Reads the frame that fills `bytes`. Never throws, never copies: what it holds are views, valid as long as `bytes` is. */
export function decodeRelayFrame(bytes: Uint8Array): RelayFrame | RelayFrameRefusal {
  const type = frameType(bytes, 0, bytes.length);
  if (type < 0) return frameRefusal(type);
  return isRelayType(type) ? DECODERS[type](bytes) : 'unknown-type';
}
