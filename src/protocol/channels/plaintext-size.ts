/*
 * How long a plaintext is. Its length is all that an observer sees of it, so only the lengths below exist
 * (wire formats B, "Sizes"): what is inside is filled up with zeros.
 *   chat, input, control, acknowledgements   256, 512 or 1,180 bytes: the first that holds what is sent now
 *   file                                     1,180 bytes
 *   call                                     one of three lengths of the codec mode
 */

/** 1,280 bytes of IPv6 (RFC 8200, section 5) less 40 IPv6, 8 UDP, 20 relay header, 16 datagram header, 16 tag. */
export const MAX_PLAINTEXT_BYTES = 1180;

/** The lengths of everything but call frames. */
export const PLAINTEXT_SIZES = [256, 512, MAX_PLAINTEXT_BYTES] as const;

/** Which lengths a call uses; the choice shows what kind of call it is, the three lengths hide the codec's bit rate within it. */
export type CallMode = 'narrowband' | 'wideband' | 'video';

/**
 * The plaintext lengths of each codec mode: 20 ms of speech at up to 24, 48 and 72 kbit/s; at up to 56, 96 and 152
 * kbit/s; and pieces of a picture.
 */
export const CALL_SIZES: Readonly<Record<CallMode, readonly [number, number, number]>> = {
  narrowband: [80, 144, 208],
  wideband: [160, 272, 400],
  video: [560, 880, MAX_PLAINTEXT_BYTES],
};

const ALL_CALL_SIZES: ReadonlySet<number> = new Set(Object.values(CALL_SIZES).flat());

/** The first length of `sizes` that holds `bytes`. @throws RangeError if none does: the caller cuts before. */
export function paddedSize(bytes: number, sizes: readonly number[] = PLAINTEXT_SIZES): number {
  for (const size of sizes) if (bytes <= size) return size;
  throw new RangeError(`${bytes} bytes exceed the largest plaintext, ${String(sizes.at(-1))}`);
}

/** Whether a plaintext of frames other than call may be this long. */
export const isPlaintextSize = (bytes: number): boolean =>
  bytes === 256 || bytes === 512 || bytes === MAX_PLAINTEXT_BYTES;

/** Whether a plaintext with a call frame may be this long, in any codec mode. */
export const isCallSize = (bytes: number): boolean => ALL_CALL_SIZES.has(bytes);

/**
 * The length to which a file of `bytes` is filled up before it is sent, so that its datagrams show only the magnitude:
 * Padme (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", section 4). At
 * most 12 % more, and only O(log log) bits of the length remain. @throws RangeError unless it is a whole number from 0.
 */
export function padme(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new RangeError(`${bytes} is not a length in bytes`);
  if (bytes < 2) return bytes;
  const exponent = Math.floor(Math.log2(bytes));
  const significantBits = Math.floor(Math.log2(exponent)) + 1;
  const unit = 2 ** Math.max(0, exponent - significantBits);
  return Math.ceil(bytes / unit) * unit;
}
