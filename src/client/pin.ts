import { EndpointError } from './endpoint-error.js';

const PIN = /^sha256\/[A-Za-z0-9+/]{43}=$/;

/** What a server's leaf shows, read by who holds the connection. */
export interface ShownLeaf {
  /** `sha256/<base64>` of its SubjectPublicKeyInfo. */
  readonly pin: string;
  /** As in subjectAltName: `URI:...`, `DNS:...`, `IP Address:...`. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What a client expects of a leaf. */
export interface ExpectedLeaf {
  /** Present and next, each `sha256/<base64>` of the leaf's SubjectPublicKeyInfo. */
  readonly pins: readonly string[];
  /** A URI SAN of the leaf: `spiffe://...` of the relay's pool. */
  readonly identity: string;
}

/** Why a leaf is refused. A closed list: each is a metric label. */
export type LeafRefusal =
  'leaf-not-pinned' | 'leaf-other-name' | 'leaf-not-yet-valid' | 'leaf-expired';

/** @throws EndpointError ERR_ENDPOINT_PIN if there is no pin or one is malformed: without pins nobody is trusted. */
export function requirePins(pins: readonly string[]): void {
  if (pins.length === 0 || !pins.every((pin) => PIN.test(pin)))
    throw new EndpointError('ERR_ENDPOINT_PIN', 'a pin is sha256/ and the base64 of 32 bytes');
}

/** Whether a leaf is the expected one: its key, its name, and its dates by the wall clock. */
export function judgeLeaf(
  leaf: ShownLeaf,
  { pins, identity }: ExpectedLeaf,
  nowMs: number,
): 'ok' | LeafRefusal {
  if (!pins.includes(leaf.pin)) return 'leaf-not-pinned';
  if (!leaf.names.includes(`URI:${identity}`)) return 'leaf-other-name';
  // A date that could not be read is NaN, which is neither before nor after anything.
  if (!(nowMs >= leaf.notBeforeMs)) return 'leaf-not-yet-valid';
  return nowMs < leaf.notAfterMs ? 'ok' : 'leaf-expired';
}
