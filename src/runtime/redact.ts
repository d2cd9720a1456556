/*
 * The last net before a log line. Callers do not log secrets; this catches the day on which one does.
 * Names that hold a secret are blanked whole (`d` is the private half of a JWK), and values that look like key material wherever they stand.
 */
const SECRET_NAMES =
  /^(d|data|stringdata|binarydata)$|password|passphrase|passwd|secret$|secretvalue|token$|authorization|cookie|credential|mnemonic|private_?key|api_?key|client-key-data/i;

const SECRET_VALUES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bBearer\s+[\w~+/.=-]{8,}/gi,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, // JWT (RFC 7519)
  /\bv[1-4]\.(public|local|secret)\.[\w-]{16,}(\.[\w-]+)?/g, // PASETO tokens; PASERK secret
  /\bk[1-4]\.(secret|local)\.[\w-]{16,}/g, // PASERK
  /([a-z][a-z0-9+.-]*:\/\/)[^/\s:@]*:[^/\s@]+@/gi, // user:password@ in a connection URI
];

/** What stands in the place of something that must not be shown. */
export const REDACTED = '[redacted]';

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
/** A line must stay one that a log collector takes whole (16 KiB is Docker's and containerd's split). */
const MAX_STRING = 2_048;

/** `value` without anything that looks like a secret, bounded in depth, width and length. Never throws. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  return redactSpecial(value, depth) ?? redactObject(value, depth);
}

/** Dates, errors and bytes, which have no own fields worth showing; `undefined` for anything else. */
function redactSpecial(value: object, depth: number): unknown {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  }
  if (value instanceof Error) return redactError(value, depth);
  return ArrayBuffer.isView(value) ? `[${value.byteLength} bytes]` : undefined;
}

function redactObject(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([name, item]) => [name, SECRET_NAMES.test(name) ? REDACTED : redact(item, depth + 1)]),
  );
}

/** Free text with key material, tokens and credentials in URIs blanked, at most 2,048 characters. */
export function redactText(text: string): string {
  const bounded = text.length > 4 * MAX_STRING ? text.slice(0, 4 * MAX_STRING) : text;
  let clean = bounded;
  for (const pattern of SECRET_VALUES) {
    clean = clean.replace(pattern, (_, scheme: unknown) =>
      typeof scheme === 'string' && scheme.endsWith('://') ? `${scheme}${REDACTED}@` : REDACTED,
    );
  }
  return clean.length > MAX_STRING ? `${clean.slice(0, MAX_STRING)}…` : clean;
}

function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error ? { code: redact(error.code, depth + 1) } : {};
  const cause =
    error.cause === undefined || depth >= MAX_DEPTH
      ? {}
      : { cause: redact(error.cause, depth + 1) };
  return { type: error.name, message: redactText(error.message), ...code, ...cause };
}
