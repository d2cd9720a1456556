/*
 * No program of ours has an insecure mode. Whoever tries to switch one on, with a flag, a variable or an option of Node,
 * gets a stop with the reason instead of a program that seems to obey.
 */
import { ActionableError } from './errors.js';

/** How a process was started. */
export interface ProcessStart {
  /** Arguments after the script. */
  readonly argv: readonly string[];
  /** Options of Node itself. */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Flags that people know from other programs; `--no-tls=true` and `--noTls` mean the same. */
const INSECURE_FLAGS =
  /^--?(insecure|unsafe|plaintext|no-?(tls|ssl|encryption|encrypt|verify|auth|lease|cookie|proof)|(allow|enable|use)-?(plaintext|insecure|http|unencrypted|v1|anonymous)|(disable|skip)-?(tls|ssl|verify|verification|encryption|auth|lease)|insecure-?skip-?(tls-?)?verify|tls-?(off|none|disabled)|cipher=?(none|null)|dev-?mode|debug-?keys)([-=].*)?$/i;

/** Options of Node that weaken TLS, write its secrets to a file, or let others into the process. */
const INSECURE_NODE_OPTIONS: readonly (readonly [RegExp, string])[] = [
  [/^--(inspect|debug)\b/, 'opens a debugger through which all keys can be read'],
  [/^--tls-keylog\b/, 'writes the secrets of TLS connections to a file'],
  [/^--trace-tls\b/, 'writes TLS traffic to the log'],
  [/^--tls-(min|max)-v1\.[012]\b/, 'allows an older TLS than 1.3'],
  [/^--tls-cipher-list\b/, 'changes the ciphers of TLS'],
  [/^--insecure-http-parser\b/, 'accepts malformed HTTP'],
  [/^--openssl-legacy-provider\b/, 'brings back broken ciphers'],
  [/^--openssl-(shared-)?config\b/, 'changes the configuration of OpenSSL'],
  [/^--security-revert\b/, 'undoes a security fix of Node'],
  [/^--use-(system|openssl)-ca\b/, 'trusts the certificate authorities of this machine'],
  [/^--(heapsnapshot|heap-prof)/, 'writes memory of the process to files'],
];

/** Variables that do harm whatever they hold, as long as they are not empty. */
const INSECURE_VARIABLES: Readonly<Record<string, string>> = {
  SSLKEYLOGFILE: 'asks for the secrets of TLS connections in a file',
  OPENSSL_CONF: 'changes the configuration of OpenSSL',
  OPENSSL_MODULES: 'loads code into OpenSSL',
  NODE_USE_SYSTEM_CA: 'trusts the certificate authorities of this machine',
};

/** Variables by which people ask for an insecure mode of ours; there is none. */
const WISHES =
  /^(SALLYPORT|RELAY|GATEWAY)_(.*_)?(INSECURE|PLAINTEXT|UNSAFE|DEV_MODE|DEBUG_KEYS|NO_(TLS|SSL|VERIFY|ENCRYPTION|AUTH|LEASE|COOKIE|PROOF)|(SKIP|DISABLE)_(TLS|SSL|VERIFY|VERIFICATION|ENCRYPTION|AUTH|LEASE)|(ALLOW|ENABLE)_(HTTP|UNENCRYPTED|V1|ANONYMOUS)|TLS_(OFF|NONE|DISABLED)|CIPHER_(NONE|NULL))(_.*)?$/;

const HINT = 'Remove it: there is no insecure mode.';

/**
 * Stops a program that was asked to run insecurely.
 * @throws ActionableError ERR_ARGUMENT for a flag, ERR_SETTING for a variable or an option of Node; it names what was
 * tried and why it is refused, never the value of a variable.
 */
export function refuseInsecureStart({ argv, execArgv, env }: ProcessStart): void {
  for (const flag of argv) {
    if (INSECURE_FLAGS.test(flag))
      throw new ActionableError('ERR_ARGUMENT', `${nameOf(flag)} asks for less security.`, HINT);
  }
  refuseNodeOptions('Node was started with', execArgv);
  // Options in the variable are separated by blanks and may be quoted.
  refuseNodeOptions('NODE_OPTIONS holds', optionsIn(env['NODE_OPTIONS']));
  for (const [name, value] of Object.entries(env)) refuseVariable(name, value);
}

function refuseNodeOptions(where: string, options: readonly string[]): void {
  for (const option of options) {
    const harm = INSECURE_NODE_OPTIONS.find(([pattern]) =>
      pattern.test(option.replaceAll('_', '-')),
    );
    if (harm)
      throw new ActionableError(
        'ERR_SETTING',
        `${where} ${nameOf(option)}, which ${harm[1]}.`,
        HINT,
      );
  }
}

function refuseVariable(name: string, value: string | undefined): void {
  if (value === undefined || value === '') return;
  const harm = harmOf(name, value);
  if (harm) throw new ActionableError('ERR_SETTING', `The variable ${name} ${harm}.`, HINT);
}

function harmOf(name: string, value: string): string | undefined {
  // Node takes only "0" for it; whoever writes "false" means the same.
  if (name === 'NODE_TLS_REJECT_UNAUTHORIZED')
    return value === '1' ? undefined : 'turns off the verification of certificates';
  if (name === 'NODE_DEBUG' || name === 'NODE_DEBUG_NATIVE')
    return /tls|crypto|http|net|openssl|\*/i.test(value) ? 'logs traffic' : undefined;
  if (WISHES.test(name)) return 'asks for less security';
  return Object.hasOwn(INSECURE_VARIABLES, name) ? INSECURE_VARIABLES[name] : undefined;
}

const optionsIn = (text = ''): readonly string[] =>
  text
    .split(/\s+/)
    .map((option) => option.replace(/^["']+|["']+$/g, ''))
    .filter((option) => option !== '');

/** The name without a value: that may be a path or worse. Bounded. */
const nameOf = (flag: string): string => (flag.split('=')[0] ?? flag).slice(0, 64);
