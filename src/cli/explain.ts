/*
 * What a person is told about an error: what is wrong, what to do, and with which code the program ends.
 */
import { CallError } from '../client/calls/call-error.js';
import { ContactError, type ContactErrorCode } from '../client/contacts/contact-error.js';
import { FileTransferError, type FileTransferErrorCode } from '../client/files/transfer-error.js';
import { GatewayError, type GatewayErrorCode } from '../client/gateway/gateway-error.js';
import { IdentityError } from '../client/identity/identity-error.js';
import type { LoginRefusal, RequestRefusal } from '../messages/signaling.js';
import { ActionableError, EXIT_CODE, exitCodeOf, messageOf } from '../runtime/errors.js';
import { jsonLine, plainText } from '../runtime/json-line.js';

/** An error as it is told. */
export interface Explained {
  /** Stable; empty for an error that nobody expected. */
  readonly code: string;
  readonly problem: string;
  readonly hint: string;
  readonly exitCode: number;
}

const TYPED_FACTORS =
  'Run it at a terminal and type a code of a generator or a recovery code. A terminal cannot ask a security key (WebAuthn): add a generator with a program that can.';

/** What to do about a login that the gateway refused. */
export const LOGIN_HINTS: Readonly<Record<LoginRefusal, string>> = {
  'login-failed':
    'Check host and clock with "sallyport doctor"; the gateway says no more before it knows the device.',
  'account-awaits-approval': 'Ask an administrator: sallyport admin users approve FINGERPRINT.',
  'device-awaits-approval':
    'Ask an administrator: sallyport admin devices approve FINGERPRINT DEVICE.',
  'device-revoked':
    'This device is revoked for ever: restore the identity from its phrase into a new folder.',
  'binding-outdated':
    'A newer binding of this device is known: use the newest copy of the identity file.',
  'too-many-devices': 'Revoke a device that is not used: sallyport devices list.',
  'registration-closed':
    'Ask an administrator for an invite code, and use "sallyport connect --invite".',
  'invite-invalid': 'The code is used, over or mistyped: ask for another one.',
  'account-locked': 'Wait, or ask an administrator: sallyport admin users unlock FINGERPRINT.',
  'second-factor-failed': 'Try again with the code that is shown now.',
  'no-second-factor': TYPED_FACTORS,
  'too-many-connections': 'End other programs that use this account, or wait.',
  'too-many-logins': 'Wait before the next try.',
  'too-slow': 'Try again; answer sooner.',
  unavailable: 'The gateway cannot log anybody in now: try again later.',
};

/** What to do about a request that the gateway refused. */
const REQUEST_HINTS: Readonly<Record<RequestRefusal, string>> = {
  'bad-request': 'Update this program or the gateway: they do not understand each other.',
  'unknown-request': 'This gateway is of another release and cannot do that.',
  'not-found': 'Look at the list: it may be gone already.',
  forbidden: 'No role of this account allows it: ask an administrator.',
  'step-up-needed': TYPED_FACTORS,
  'second-factor-needed': 'Add a second factor first: sallyport factors add.',
  'own-request': 'Somebody else has to approve that, not the one who asks.',
  'proof-invalid': 'Type the code that is shown now.',
  'already-exists': 'It is there already.',
  'already-done': 'It is done already.',
  'token-taken': 'Wait a moment and try again.',
  'too-many': 'Wait before the next try.',
  'quota-reached': 'Wait, or remove what is not needed.',
  'peer-absent':
    'Nobody is there now and nothing is kept: try again when the other person is online.',
  'no-relay': 'No relay takes sessions now: ask an administrator, or try again later.',
  unavailable: 'The gateway cannot do that now: try again later.',
};

const GATEWAY: Readonly<Record<GatewayErrorCode, readonly [number, string]>> = {
  ERR_GATEWAY_ADDRESS: [EXIT_CODE.config, 'Write wss://HOST[:PORT].'],
  ERR_GATEWAY_INSECURE: [EXIT_CODE.config, 'Write wss://HOST[:PORT]; there is no insecure mode.'],
  ERR_GATEWAY_PIN: [
    EXIT_CODE.config,
    'Name a pin that its administrator tells: sha256/ and 44 characters.',
  ],
  ERR_GATEWAY_AWAY: [EXIT_CODE.unavailable, 'See "sallyport doctor" for what is wrong with it.'],
  ERR_GATEWAY_DEADLINE: [EXIT_CODE.unavailable, 'See whether it was done, then try again.'],
  ERR_GATEWAY_BUSY: [EXIT_CODE.unavailable, 'Wait a moment and try again.'],
  ERR_GATEWAY_REFUSED: [EXIT_CODE.refused, ''],
  ERR_GATEWAY_LOGIN: [EXIT_CODE.refused, ''],
  ERR_GATEWAY_CLOSED: [EXIT_CODE.failed, 'Start it again.'],
};

const CONTACT: Readonly<Record<ContactErrorCode, readonly [number, string]>> = {
  ERR_CONTACT_FINGERPRINT: [
    EXIT_CODE.usage,
    'Write the fingerprint that the other person tells: sp1 and 32 characters.',
  ],
  ERR_CONTACT_UNKNOWN: [
    EXIT_CODE.usage,
    'See "sallyport contacts list", or "sallyport connect FINGERPRINT" first.',
  ],
  ERR_CONTACT_NAME: [EXIT_CODE.usage, 'Choose another name.'],
  ERR_CONTACT_NOT_ALLOWED: [EXIT_CODE.refused, 'See "sallyport contacts list".'],
  ERR_CONTACT_ABSENT: [
    EXIT_CODE.unavailable,
    'Try again when the other person is online: nothing is kept for them.',
  ],
  ERR_CONTACT_UNTRUSTED: [
    EXIT_CODE.refused,
    'Ask the other person for the fingerprint over another way, and compare it.',
  ],
  ERR_CONTACT_NO_SESSION: [
    EXIT_CODE.unavailable,
    'Try again; if it goes on, see "sallyport doctor --login".',
  ],
  ERR_CONTACT_TOO_MANY: [EXIT_CODE.failed, 'Remove contacts, or wait.'],
};

const FILES: Readonly<Record<FileTransferErrorCode, readonly [number, string]>> = {
  ERR_FILE_REFUSED: [
    EXIT_CODE.refused,
    'The reason says what: the role of one side, the size, the type, or a person.',
  ],
  ERR_FILE_INTERRUPTED: [EXIT_CODE.unavailable, 'Send it again: only what is missing goes.'],
  ERR_FILE_SOURCE: [
    EXIT_CODE.config,
    'Name a plain file that you may read, and leave it as it is meanwhile.',
  ],
  ERR_FILE_FOLDER: [EXIT_CODE.config, 'Name another folder with --to.'],
  ERR_FILE_CLOSED: [EXIT_CODE.failed, 'Send it again.'],
};

const CALL: readonly [number, string] = [
  EXIT_CODE.refused,
  'No role of one of the two allows it: ask an administrator.',
];

/** Longer than any path that a system takes, with what is said about it. */
const MAX_LINE_CHARACTERS = 8_192;

/** Refusals that mean "not now" rather than "no". */
const NOT_NOW = ['unavailable', 'peer-absent', 'no-relay', 'too-many', 'too-many-logins'];

/** What to tell about anything that was thrown. No secret is in any error, so none is told. */
export function explain(error: unknown): Explained {
  if (error instanceof ActionableError) {
    const { code, problem, hint } = error;
    return { code, problem, hint, exitCode: exitCodeOf(error) };
  }
  if (error instanceof IdentityError)
    return {
      code: error.code,
      problem: error.message,
      hint: error.hint,
      exitCode: EXIT_CODE.config,
    };
  if (error instanceof GatewayError) return ofGateway(error);
  if (error instanceof ContactError) return withReason(error, CONTACT[error.code]);
  if (error instanceof FileTransferError) return withReason(error, FILES[error.code]);
  if (error instanceof CallError) return withReason(error, CALL);
  const { exitCode = EXIT_CODE.failed } = error as { readonly exitCode?: number };
  return { code: '', problem: messageOf(error), hint: '', exitCode };
}

function withReason(
  { code, message, reason }: CallError | ContactError | FileTransferError,
  [exitCode, hint]: readonly [number, string],
): Explained {
  const isSaid = reason === undefined || message.includes(reason);
  return { code, problem: isSaid ? message : `${message} (${reason})`, hint, exitCode };
}

function ofGateway({ code, message, reason = '', retryAfterSeconds }: GatewayError): Explained {
  const [exit, general] = GATEWAY[code];
  const isLogin = code === 'ERR_GATEWAY_LOGIN' || code === 'ERR_GATEWAY_AWAY';
  const hint = hintFor(reason, isLogin) ?? general;
  const wait = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`;
  const exitCode = NOT_NOW.includes(reason) ? EXIT_CODE.unavailable : exit;
  return { code, problem: message, hint: `${hint}${wait}`.trim(), exitCode };
}

/** A reason that both have means another thing for a login than for a request. */
function hintFor(reason: string, isLogin: boolean): string | undefined {
  const hints: Readonly<Record<string, string>> = {
    ...(isLogin ? REQUEST_HINTS : LOGIN_HINTS),
    ...(isLogin ? LOGIN_HINTS : REQUEST_HINTS),
    superseded: 'Another program uses this device now: end it, or use it there.',
  };
  return Object.hasOwn(hints, reason) ? hints[reason] : undefined;
}

/** An error as text for standard error, one line of JSON where that was asked for, and the exit code. */
export function errorText(
  error: unknown,
  argv: readonly string[],
): { readonly text: string; readonly exitCode: number } {
  const { exitCode, ...told } = explain(error);
  if (wantsJson(argv)) return { text: `${jsonLine({ error: told })}\n`, exitCode };
  // A name of a file or of a gateway may hold anything: none of it drives the terminal.
  const lines = [told.problem, told.hint].filter((line) => line !== '');
  return { text: lines.map((line) => `${visible(line)}\n`).join(''), exitCode };
}

/** Backslashes stay as they are: most stand for something that was made visible where it was named. */
const visible = (line: string): string =>
  plainText(line, MAX_LINE_CHARACTERS).replaceAll('\\\\', '\\');

/** Also for a command line that could not be read as a whole. */
const wantsJson = (argv: readonly string[]): boolean =>
  argv.some(
    (word, i) => word === '--output=json' || (word === 'json' && argv[i - 1] === '--output'),
  );
