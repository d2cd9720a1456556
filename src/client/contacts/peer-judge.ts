import { equalBytes } from '../../protocol/bytes.js';
import { parseFingerprint } from '../../protocol/identity/account.js';
import { verifyDeviceBinding } from '../../protocol/identity/device-binding.js';
import type { PeerRefusal, SessionParts } from './session-parts.js';

/** Whether a binding that came inside a handshake is that of the device which this session is with. Never throws. */
export function judgeDevice(
  { host, peer }: Pick<SessionParts, 'host' | 'peer'>,
  bytes: Uint8Array,
  staticKey: Uint8Array,
): 'ok' | PeerRefusal {
  const fingerprint = parseFingerprint(peer.fingerprint);
  if (typeof fingerprint === 'string') return 'binding-other-identity';
  const binding = verifyDeviceBinding(host.context.backend, bytes, {
    fingerprint,
    staticKey,
    nowMs: host.clock.now().getTime(),
    revocations: host.revocations,
  });
  if (typeof binding === 'string') return binding;
  return equalBytes(binding.deviceId, peer.device.keys.deviceId) ? 'ok' : 'binding-other-device';
}
