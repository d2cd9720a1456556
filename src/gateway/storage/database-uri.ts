/*
 * The connection URI of a PostgreSQL database, in the form that CloudNativePG writes: postgresql://ROLE:PASSWORD@HOST/DATABASE.
 * TLS is not a choice: only a server on this machine's loopback is spoken to without. What the URI holds is a secret, so
 * no refusal repeats any of it but the name of a parameter.
 */
import { ActionableError } from '../../runtime/errors.js';

/** Where a database is and who we are there. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly role: string;
  readonly password: string;
  /** Whether the host is this machine's loopback. */
  readonly isLoopback: boolean;
}

const PORT = 5432;
const PROTOCOLS = ['postgresql:', 'postgres:'];
/** Modes in which libpq checks at least that there is TLS; here each of them checks certificate and name. */
const TLS_MODES = ['require', 'verify-ca', 'verify-full'];
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Reads a URI. @throws ActionableError ERR_SETTING saying what is wrong, without its content */
export function readDatabaseUri(text: string): DatabaseAddress {
  const uri = parse(text.trim());
  const host = uri.hostname.replace(/^\[|\]$/g, '');
  const database = decoded(uri.pathname.slice(1));
  const role = decoded(uri.username);
  if (host === '' || database === '' || role === '' || database.includes('/'))
    throw refused('The database URI names no host, database or role.');
  const isLoopback = LOOPBACK.test(host);
  for (const [name, value] of uri.searchParams) checkParameter(name, value, isLoopback);
  const port = uri.port === '' ? PORT : Number(uri.port);
  return { host, port, database, role, password: decoded(uri.password), isLoopback };
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw refused('The database URI is not a URI.');
  const uri = new URL(text);
  if (PROTOCOLS.includes(uri.protocol)) return uri;
  throw refused('The database URI does not begin with postgresql://.');
}

function checkParameter(name: string, value: string, isLoopback: boolean): void {
  if (name !== 'sslmode') {
    const shown = /^[\w.-]{1,40}$/.test(name) ? name : 'a parameter';
    throw refused(`The database URI holds ${shown}, which this program does not know.`);
  }
  if (TLS_MODES.includes(value) || isLoopback) return;
  throw refused('The database URI asks for a connection that may go without TLS (sslmode).');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refused('The database URI holds a % that begins no escape.');
  }
}

function refused(problem: string): ActionableError {
  const hint =
    'Write it like postgresql://ROLE:PASSWORD@HOST:5432/DATABASE, with characters such as @ and / of the password as %40 and %2F.';
  return new ActionableError('ERR_SETTING', problem, hint);
}
