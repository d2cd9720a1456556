/*
 * Why a program ended, from its log: one JSON object per line, as our programs write them.
 */

/** What the last error in `log` says and what to do about it; undefined if there is none. */
export function failureIn(log: string): string | undefined {
  const line = log.split('\n').findLast((text) => text.includes('"level":"error"'));
  if (line === undefined) return undefined;
  try {
    return failureText(JSON.parse(line) as LogLine);
  } catch {
    return undefined; // Cut off, or not of our programs.
  }
}

interface LogLine {
  readonly msg?: unknown;
  readonly hint?: unknown;
  readonly error?: unknown;
}

function failureText({ msg, hint, error }: LogLine): string | undefined {
  if (typeof msg !== 'string') return undefined;
  if (typeof hint === 'string') return `${msg} ${hint}`;
  const causes = messagesOf(error);
  return causes.length === 0 ? msg : `${msg}: ${causes.join(': ')}`;
}

/** The messages of an error and of what caused it, as the log shows them. */
function messagesOf(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth === 4) return [];
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: unknown };
  return [...(typeof message === 'string' ? [message] : []), ...messagesOf(cause, depth + 1)];
}
