/*
 * What gateway and relay have in common when they read their certificates and keys from mounted files.
 */
import { ActionableError, messageOf } from './errors.js';

/** Permission bits of everybody who is neither owner nor in the group of a file. */
const OTHERS = 0o007;

/** The error for a file with this path, which `problem` is wrong with: "The file PATH PROBLEM." */
export type RefuseFile = (path: string, problem: string) => ActionableError;

/** Makes errors ERR_SETTINGS_FILE for files that `hint` says how to correct. */
export const fileRefusal =
  (hint: string): RefuseFile =>
  (path, problem) =>
    new ActionableError('ERR_SETTINGS_FILE', `The file ${path} ${problem}.`, hint);

/** What `parse` gives. @throws what `refuse` makes of its error: "... holds no WHAT (...)" */
export function parsedFile<T>(
  { path, refuse }: { readonly path: string; readonly refuse: RefuseFile },
  what: string,
  parse: () => T,
): T {
  try {
    return parse();
  } catch (cause) {
    throw refuse(path, `holds no ${what} (${messageOf(cause)})`);
  }
}

/**
 * Refuses a private key file that everybody may read, write or execute: 0440 with the group of the pod is fine.
 * @throws ActionableError ERR_SETTINGS_FILE
 */
export function refuseOpenKeyFile(path: string, mode: number): void {
  if ((mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new ActionableError(
    'ERR_SETTINGS_FILE',
    `The private key file ${path} has mode ${octal}: others than its owner and group may use it.`,
    'Give it mode 0440 or 0400 (Secret volume: defaultMode 0440), and replace the key: it may be known.',
  );
}

/**
 * The URIs in a list of names as `X509Certificate.subjectAltName` writes it; undefined if the list is not plain: Node
 * writes names with a comma or a quote as JSON strings, and no name of ours has either.
 */
export function uriNames(subjectAltName: string): readonly string[] | undefined {
  if (subjectAltName.includes('"')) return undefined;
  return subjectAltName
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length));
}
