/*
 * Leases of one side of one session: each with a key made for it alone, asked for with the signature of the session's
 * key, which only the two peers can make (wire formats, B).
 */
import type { AnswerBody, RequestBody, RequestName } from '../../messages/requests.js';
import { ascii } from '../../protocol/bytes.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import { leaseRequestSigningInput, sessionId } from '../../protocol/lease/ids.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import type { Role } from '../../protocol/relay/version-1.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';
import type { LeaseFields } from '../lease-proof.js';
import { ContactError } from './contact-error.js';

/** Asks the gateway that is connected now. */
export type AskGateway = <Name extends RequestName>(
  name: Name,
  body: RequestBody<Name>,
) => Promise<AnswerBody<Name>>;

/** The id of the session whose key has this seed. */
export function sessionIdOf(
  { backend }: Pick<CryptoContext, 'backend'>,
  seed: Uint8Array,
): Uint8Array {
  return sessionId(backend.ed25519PublicKey(seed), (message) => {
    const hash = new Uint8Array(32);
    backend.hash('SHA256', [message], hash);
    return hash;
  });
}

/** What leases are asked for with. */
export interface SessionLeasesParts {
  readonly context: CryptoContext;
  readonly random: RandomBytes;
  readonly ask: AskGateway;
  /** NAMESPACE/NAME of the gateway, as its welcome says. */
  readonly gateway: () => string;
  readonly role: Role;
  /** 32 bytes of the offer; copied into the key store. */
  readonly sessionSeed: Uint8Array;
}

/** A lease and when it ends, unix ms. */
export interface TakenLease {
  readonly fields: LeaseFields;
  readonly expiresAt: number;
}

/** Gets leases for one side of one session. `close` erases the session's seed. */
export class SessionLeases {
  readonly sessionId: Uint8Array;
  readonly #parts: SessionLeasesParts;
  readonly #seed: Uint8Array;

  constructor(parts: SessionLeasesParts) {
    this.#parts = parts;
    this.#seed = parts.context.keys.takeCopy(parts.sessionSeed);
    this.sessionId = sessionIdOf(parts.context, parts.sessionSeed);
  }

  /**
   * Asks for a lease at the relay `rid` and hands it to `use`, which copies what it keeps: the key is erased afterwards.
   * @throws GatewayError as the request; ContactError ERR_CONTACT_NO_SESSION after `close`.
   */
  async take<Result>(
    rid: string,
    use: (lease: TakenLease) => Result | Promise<Result>,
  ): Promise<Result> {
    const { context, random } = this.#parts;
    const proofKey = context.keys.take(32);
    try {
      random(proofKey);
      const { lease, jti, expiresAt } = await this.#issue(rid, proofKey);
      const { role } = this.#parts;
      const session = this.sessionId;
      const id = fromBase64urlText(jti) ?? new Uint8Array();
      const fields = { token: ascii(lease), relayId: rid, session, jti: id, role, proofKey };
      return await use({ fields, expiresAt });
    } finally {
      context.keys.erase(proofKey);
    }
  }

  /** Gives a lease back; nothing happens if the gateway is away: it ends by itself. */
  async giveBack(jti: Uint8Array): Promise<void> {
    await this.#parts.ask('lease.return', { jti: toBase64url(jti) }).catch(() => undefined);
  }

  /** Erases the seed. May be called again. */
  close(): void {
    const { keys } = this.#parts.context;
    if (keys.isLive(this.#seed)) keys.erase(this.#seed);
  }

  async #issue(rid: string, proofKey: Uint8Array): Promise<AnswerBody<'lease.issue'>> {
    const { context, gateway, role, ask } = this.#parts;
    if (!context.keys.isLive(this.#seed))
      throw new ContactError('ERR_CONTACT_NO_SESSION', 'The session is over.', 'closed-here');
    const { backend } = context;
    const [sid, cpk] = [this.sessionId, backend.ed25519PublicKey(proofKey)];
    const request = leaseRequestSigningInput({ gateway: gateway(), rid, role, sid, cpk });
    return ask('lease.issue', {
      rid,
      role,
      spk: toBase64url(backend.ed25519PublicKey(this.#seed)),
      sid: toBase64url(sid),
      cpk: toBase64url(cpk),
      signature: toBase64url(backend.ed25519Sign(this.#seed, request)),
    });
  }
}
