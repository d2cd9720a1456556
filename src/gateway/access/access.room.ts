/*
 * The room of access: the verified policy bundle, decisions on requests, their records, and acts of administration.
 */
import { isHeldBy } from '../../policy/decision.js';
import { messageOf } from '../../runtime/errors.js';
import type { Counter, Gauge } from '../../runtime/metrics.js';
import { isInRange, parseIpAddress, parseIpRange } from '../../runtime/ip-address.js';
import { decodeDeviceBinding } from '../../protocol/identity/device-binding.js';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import type { BundleRole } from '../../policy/roles.js';
import type { RequestName } from '../../messages/requests.js';
import { REQUEST_REFUSALS } from '../../messages/signaling.js';
import { AUDIT_RETRY_SECONDS } from '../audit-failure.js';
import type { Caller, Connection, Refused, RequestContext } from '../caller.js';
import type { AccessRoom, RoomContext } from '../rooms.js';
import { accountHandlers, deviceHandlers } from './account-handlers.js';
import { authorise, type Authorisation } from './authorisation.js';
import { concerned, losesRight, rolesOf } from './held-roles.js';
import { inviteHandlers } from './invite-handlers.js';
import type { Endings } from './parts.js';
import { BUNDLE_OUTCOMES, readBundle } from './policy-bundle.js';
import { levelOf, recordOf, type DecidedRequest } from './record.js';
import { isAdministration, ROUTES } from './routes.js';

/** Codes that an act of administration can end with. */
const CODES = [200, 403, 404, 409, 429, 503] as const;
const VERBS = ['list', 'approve', 'lock', 'unlock', 'delete', 'revoke', 'reset', 'create'] as const;
const PAGE = 100;
const UNRECORDED: Refused = { refused: 'unavailable', retryAfterSeconds: AUDIT_RETRY_SECONDS };

/** The room, with what the wiring gives to other rooms. */
export interface Access extends AccessRoom {
  /** Takes the text of bundle.json, undefined when there is none. False: it is not in force, and is worth another try. */
  takeBundle(json: string | undefined): Promise<boolean>;
  /** Roles of an account in the bundle that is in force, those that have ended left out. */
  bundleRolesOf(account: string): readonly BundleRole[];
  /** Why nobody has a role, for /readyz; undefined when a bundle is in force or none is expected. */
  problem(): string | undefined;
}

/** Makes the room. No role is in force before `takeBundle`. */
export function createAccess(context: RoomContext, endings: Endings): Access {
  return new AccessDesk(context, endings);
}

class AccessDesk implements Access {
  readonly handlers: Access['handlers'];
  readonly #context: RoomContext;
  readonly #endings: Endings;
  readonly #requests: Counter;
  readonly #bundles: Counter;
  readonly #serial: Gauge;
  /** In force. */
  #roles: readonly BundleRole[] = [];
  /** Those whose loss was followed up last: differs from the above while the store does not answer. */
  #settled: readonly BundleRole[] = [];
  #problem: string | undefined;
  /** Whom changes took something from and whose sessions the store could not end yet. */
  readonly #owed = new Set<string>();

  constructor(context: RoomContext, endings: Endings) {
    this.#context = context;
    this.#endings = endings;
    const parts = { ...context, endings };
    this.handlers = {
      ...accountHandlers(parts),
      ...deviceHandlers(parts, notAfterOf),
      ...inviteHandlers(parts),
    };
    this.#requests = context.metrics.counter({
      name: 'sallyport_admin_requests_total',
      help: 'Acts of administration, by kind of principal, verb, code, and whether the source was allowed.',
      labelNames: ['principal', 'verb', 'code', 'source'],
    });
    this.#bundles = context.metrics.counter({
      name: 'sallyport_policy_bundles_total',
      help: 'Policy bundles that were read, by what became of them.',
      labelNames: ['outcome'],
    });
    this.#serial = context.metrics.gauge({
      name: 'sallyport_policy_bundle_serial',
      help: 'Serial of the policy bundle in force; 0 while there is none.',
    });
    this.#zero();
  }

  decide(name: RequestName, context: RequestContext): 'allowed' | Refused {
    if (this.#context.auditStops?.() === 'everything') return UNRECORDED;
    const { caller, connection, now } = context;
    const roles = this.bundleRolesOf(caller.account);
    const answer = authorise({
      ...{ route: ROUTES[name], caller, roles, now },
      comesFrom: comesFrom.bind(undefined, connection.address),
    });
    context.decidedBy = answer.by;
    if (answer.allowed) return 'allowed';
    this.#record(name, context, { by: answer.by, denial: answer.reason });
    this.#count(name, caller, { code: 403, source: sourceOf(answer) });
    return { refused: answer.refusal };
  }

  done(name: RequestName, context: RequestContext, refused: Refused | undefined): void {
    const by = context.decidedBy ?? 'default';
    this.#record(name, context, { by, ...(refused === undefined ? {} : { refused }) });
    const code = refused === undefined ? 200 : REQUEST_REFUSALS[refused.refused];
    this.#count(name, context.caller, { code, source: 'allowed' });
  }

  rolesOf(account: string): readonly string[] {
    return this.bundleRolesOf(account).map(({ name }) => name);
  }

  bundleRolesOf(account: string): readonly BundleRole[] {
    return rolesOf(this.#roles, account, this.#context.clock.now());
  }

  problem(): string | undefined {
    return this.#problem;
  }

  async takeBundle(json: string | undefined): Promise<boolean> {
    const outcome = await this.#take(json);
    this.#bundles.inc({ outcome });
    const isFine = outcome === 'taken' || outcome === 'absent';
    this.#problem = isFine ? undefined : `policy bundle: ${outcome}`;
    if (!isFine) this.#context.log.error('policy bundle not taken', { reason: outcome });
    return isFine;
  }

  /** Roles end by the clock too; and what could not be ended before is tried again. */
  async tick(now: number): Promise<void> {
    const live = this.#roles.filter(
      ({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > now,
    );
    if (live.length < this.#roles.length) await this.#putInForce(live);
    else if (this.#settled !== this.#roles || this.#owed.size > 0) await this.#settle();
  }

  async #take(json: string | undefined): Promise<(typeof BUNDLE_OUTCOMES)[number]> {
    const { settings, backend, store } = this.#context;
    // A bundle that vanished takes nothing away: the operator removes roles by a newer one.
    if (json === undefined) return 'absent';
    const publicKeys = settings().policy.publicKeys.flatMap((key) => fromBase64urlText(key) ?? []);
    const { uid } = settings().gateway;
    const bundle = readBundle(json, { publicKeys, uid }, backend);
    if (typeof bundle === 'string') return bundle;
    try {
      const isNewest = await store.raisePolicySerial(uid, BigInt(bundle.serial));
      if (!isNewest) return (await store.policyUid()) === uid ? 'older-serial' : 'other-database';
    } catch {
      return 'store-unavailable';
    }
    this.#serial.set(bundle.serial);
    await this.#putInForce(bundle.roles);
    return 'taken';
  }

  /** From now on these roles count; who lost something loses sockets, sessions and leases. */
  async #putInForce(roles: readonly BundleRole[]): Promise<void> {
    this.#tellHolders(this.#roles, roles);
    this.#roles = roles;
    await this.#settle();
  }

  /** Ends what changes took away; what the store cannot do now is done at a later tick. */
  async #settle(): Promise<void> {
    const [before, after] = [this.#settled, this.#roles];
    const at = this.#context.clock.now();
    try {
      for (const account of await this.#candidates(before, after)) {
        const had = before.filter((role) => isHeldBy(role, account));
        if (losesRight(had, rolesOf(after, account, at))) this.#owed.add(account);
      }
      this.#settled = after;
      for (const account of [...this.#owed]) {
        await this.#endings.sessions({ account });
        this.#owed.delete(account);
      }
    } catch (error) {
      this.#context.log.error('sessions of a role that lost a right', { error: messageOf(error) });
    }
  }

  async #candidates(
    before: readonly BundleRole[],
    after: readonly BundleRole[],
  ): Promise<Iterable<string>> {
    const touched = concerned(before, after);
    return touched === 'Everyone' ? this.#everyAccount() : touched;
  }

  async #everyAccount(): Promise<readonly string[]> {
    const accounts: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.#context.store.accounts(after, PAGE);
      accounts.push(...page.rows.map(({ account }) => account));
      after = page.next;
    } while (after !== undefined);
    return accounts;
  }

  /** Who keeps his connection learns that his grant is to be fetched again. */
  #tellHolders(before: readonly BundleRole[], after: readonly BundleRole[]): void {
    const at = this.#context.clock.now();
    const namesOf = (roles: readonly BundleRole[], account: string): readonly string[] =>
      rolesOf(roles, account, at).map(({ name }) => name);
    for (const connection of this.#open()) {
      const { account } = connection.caller;
      const roles = namesOf(after, account);
      if (roles.join() !== namesOf(before, account).join())
        connection.notify('permissions.changed', { roles: [...roles] });
    }
  }

  readonly #connected = new Set<Connection>();

  opened(connection: Connection): void {
    this.#connected.add(connection);
  }

  closed(connection: Connection): void {
    this.#connected.delete(connection);
  }

  #open(): readonly Connection[] {
    return [...this.#connected];
  }

  #record(
    name: RequestName,
    { caller, connection }: RequestContext,
    outcome: Pick<DecidedRequest, 'by' | 'denial' | 'refused'>,
  ): void {
    const { account, administrator } = caller;
    const level = levelOf(this.#context.settings().audit.level, this.bundleRolesOf(account));
    const event = recordOf(
      {
        name,
        route: ROUTES[name],
        account,
        administrator,
        address: connection.address,
        ...outcome,
      },
      level,
    );
    if (event !== undefined) this.#context.audit.emit(event);
  }

  #count(
    name: RequestName,
    { administrator }: Caller,
    { code, source }: { readonly code: number; readonly source: string },
  ): void {
    if (!isAdministration(name)) return;
    const principal = administrator ? 'administrator' : 'delegate';
    this.#requests.inc({ principal, verb: verbOf(name), code: codeOf(code), source });
  }

  #zero(): void {
    this.#serial.set(0);
    for (const outcome of BUNDLE_OUTCOMES) this.#bundles.inc({ outcome }, 0);
    for (const principal of ['administrator', 'delegate'])
      for (const verb of VERBS) this.#zeroCodes({ principal, verb });
  }

  #zeroCodes(labels: { readonly principal: string; readonly verb: string }): void {
    for (const code of CODES)
      for (const source of ['allowed', 'other']) this.#requests.inc({ ...labels, code, source }, 0);
  }
}

function notAfterOf(binding: Uint8Array): number {
  const decoded = decodeDeviceBinding(binding);
  if (typeof decoded === 'string') throw new TypeError(`a stored device binding is ${decoded}`);
  return decoded.notAfterMs;
}

function comesFrom(address: string, cidr: string): boolean {
  const [bytes, range] = [parseIpAddress(address), parseIpRange(cidr)];
  return bytes !== undefined && range !== undefined && isInRange(bytes, range);
}

const sourceOf = (answer: Authorisation): string =>
  !answer.allowed && answer.reason === 'SourceNotAllowed' ? 'other' : 'allowed';

/** The last word of the request's name; `pending` is a list. */
function verbOf(name: RequestName): string {
  const last = name.slice(name.lastIndexOf('.') + 1);
  return VERBS.find((verb) => verb === last) ?? 'list';
}

const codeOf = (code: number): number => CODES.find((known) => known === code) ?? 403;
