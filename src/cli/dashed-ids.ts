/** Base64url of 16 bytes (devices, sessions, leases) that begins with a dash; no option of ours is that long and not words. */
const DASHED_ID = /^-[A-Za-z0-9_-]{21}$/;
const WORDS = /^--[a-z]+(-[a-z]+)*$/;

/**
 * `argv` with ids that look like options behind `--`, where nothing is an option: one of 64 ids begins with a dash, and who
 * copies it from a list cannot know. Their order, and that of all others, stays.
 */
export function withIdsAsOperands(argv: readonly string[]): readonly string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const before = argv.slice(0, end);
  const isId = (text: string) => DASHED_ID.test(text) && !WORDS.test(text);
  if (!before.some(isId)) return argv;
  const rest = before.filter((text) => !isId(text));
  return [...rest, '--', ...before.filter(isId), ...argv.slice(end + 1)];
}
