/**
 * A mistake of the person who installs or starts a program: what is wrong, and what to do about it.
 * Thrown to the top of `bin/`, which prints `problem` and `hint` and exits with `exitCode`.
 */
export class ActionableError extends Error {
  /**
   * @param code stable and documented in docs/operations.md (`ERR_SETTING`)
   * @param problem one sentence: what is wrong, and where
   * @param hint one sentence: what to do
   */
  constructor(
    readonly code: ActionableErrorCode,
    readonly problem: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(`${problem} ${hint}`, options);
    this.name = 'ActionableError';
  }
}

/** Every code of an ActionableError. Match on these, never on message text. */
export type ActionableErrorCode =
  | 'ERR_SETTING' // A setting is unknown or out of its bounds.
  | 'ERR_SETTINGS_FILE' // The settings file is absent or is not JSON.
  | 'ERR_ARGUMENT' // The command line is wrong.
  | 'ERR_CREDENTIALS' // No usable kubeconfig or service account.
  | 'ERR_LISTEN' // A port cannot be bound.
  | 'ERR_STATE' // What an earlier run kept cannot be used.
  | 'ERR_RESOURCE_FILE' // A YAML file does not hold resources that we know.
  | 'ERR_BUNDLE' // An archive for an air-gapped site is not to be trusted, or cannot be read.
  | 'ERR_INSTALL' // A program that installs a release failed or is not there.
  | 'ERR_TERMINAL' // A person has to be asked, and there is no terminal.
  | 'ERR_PEER'; // No contact, or more than one, is meant by a name on the command line.

/**
 * Exit codes of all our programs. 64 is EX_USAGE, 69 EX_UNAVAILABLE, 77 EX_NOPERM and 78 EX_CONFIG of sysexits.h, so that
 * a supervisor can tell "fix the file" from "try again". 69 and 77 are the command line's alone: nobody is there, and
 * somebody said no.
 */
export const EXIT_CODE = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  refused: 77,
  config: 78,
} as const;

/** The exit code for an error that reached `bin/`. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ActionableError)) return EXIT_CODE.failed;
  return EXIT_BY_CODE[error.code];
}

const EXIT_BY_CODE: Readonly<Record<ActionableErrorCode, number>> = {
  ERR_SETTING: EXIT_CODE.config,
  ERR_SETTINGS_FILE: EXIT_CODE.config,
  ERR_CREDENTIALS: EXIT_CODE.config,
  ERR_LISTEN: EXIT_CODE.config,
  ERR_ARGUMENT: EXIT_CODE.usage,
  ERR_STATE: EXIT_CODE.config,
  ERR_RESOURCE_FILE: EXIT_CODE.config,
  ERR_BUNDLE: EXIT_CODE.config,
  ERR_INSTALL: EXIT_CODE.failed,
  ERR_TERMINAL: EXIT_CODE.usage,
  ERR_PEER: EXIT_CODE.usage,
};

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
