const RELAY_ID = /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}\/[0-9]{1,4}$/;
const MAX_RELAY_ID_BYTES = 323;

/** NAMESPACE/POOL/ORDINAL as ASCII bytes; undefined if they are none. Never throws. */
export function readRelayId(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > MAX_RELAY_ID_BYTES) return undefined;
  const text = String.fromCharCode(...bytes);
  return RELAY_ID.test(text) ? text : undefined;
}
