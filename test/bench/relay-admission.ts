/*
 * Both holders of many sessions: leases signed with the bench's own key, HELLO and PROVE as an endpoint sends them.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { leaseKeyId } from '../../src/protocol/lease/ids.js';
import { issueLease } from '../../src/protocol/lease/lease.js';
import {
  decodeCookie,
  decodeProved,
  decodeRefused,
  encodeHello,
  encodeProve,
} from '../../src/protocol/relay/admission.js';
import { encodeFrame, RelayType } from '../../src/protocol/relay/header.js';
import { proveSigningInput } from '../../src/protocol/relay/signing.js';
import type { Role } from '../../src/protocol/relay/version-1.js';
import type { RelayLeaseKey } from '../../src/relay/packet/packet-messages.js';
import { sha256 } from '../lease-builders.js';
import type { Load, Side } from './relay-load.js';

/** The relay of the bench, as its leases name it. */
export const RELAY_ID = 'bench/pool/0';
/** The most that settings allow: the bench measures the relay, not the limit. */
export const MOST_KBPS = 10_000_000;

const LEASE_SECONDS = 3_600;
const DAY_MS = 86_400_000;
/** Proofs under way at one time. */
const AT_ONCE = 64;
const ROLES: readonly Role[] = ['client', 'server'];

function newKey(): { readonly privateKey: KeyObject; readonly publicKey: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey,
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
  };
}

/** A gateway: it signs leases for whoever asks. */
export class LeaseIssuer {
  readonly #key = newKey();
  readonly #kid = leaseKeyId(this.#key.publicKey, sha256);

  /** What the relay knows of it. */
  get leaseKey(): RelayLeaseKey {
    return {
      kid: this.#kid,
      publicKey: Uint8Array.from(this.#key.publicKey),
      notBeforeMs: Date.now() - DAY_MS,
      notAfterMs: Date.now() + DAY_MS,
      gateway: 'bench/gateway',
    };
  }

  /** The text of a lease for one side of a session. */
  issue(session: Uint8Array, role: Role, cpk: Uint8Array): Uint8Array {
    const now = Math.floor(Date.now() / 1_000);
    const token = issueLease(
      {
        v: 1,
        jti: toBase64url(randomBytes(16)),
        sid: toBase64url(session),
        rid: RELAY_ID,
        role,
        cpk: toBase64url(cpk),
        profile: 'Standard',
        iat: now,
        nbf: now,
        exp: now + LEASE_SECONDS,
        slimit: MOST_KBPS,
        hlimit: MOST_KBPS,
      },
      // The seed stays in the key object: `sign` is asked with it.
      { kid: this.#kid, seed: new Uint8Array(32) },
      (_seed, message) => sign(null, message, this.#key.privateKey),
    );
    return Buffer.from(token, 'ascii');
  }
}

/** Proves both sides of sessions from `first` on, one per flow, and makes the flows' datagrams FORWARD frames. */
export async function admit(
  load: Load,
  issuer: LeaseIssuer,
  flows: number,
  first = 0,
): Promise<void> {
  let next = first;
  const worker = async (): Promise<void> => {
    while (next < first + flows) await admitOne(load, issuer, next++);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, flows) }, worker));
}

async function admitOne(load: Load, issuer: LeaseIssuer, flow: number): Promise<void> {
  const session = randomBytes(16);
  for (const side of [0, 1] as const) await prove(load, issuer, { session, side, flow });
  load.setPrefix(flow, encodeFrame(RelayType.forward, { session }, []));
}

interface Seat {
  readonly session: Uint8Array;
  readonly side: Side;
  readonly flow: number;
}

async function prove(load: Load, issuer: LeaseIssuer, seat: Seat): Promise<void> {
  const { session, side, flow } = seat;
  const role = ROLES[side]!;
  const { privateKey, publicKey } = newKey();
  const token = issuer.issue(session, role, publicKey);
  const nonce = randomBytes(16);
  const hello = encodeHello({ session }, { nonce });
  const fits = (frame: Buffer) => typeof decodeCookie(frame) !== 'string';
  const answered = decodeCookie(await load.ask({ side, flow, question: hello, fits }));
  if (typeof answered === 'string') throw new Error(`no COOKIE: ${answered}`);
  const { cookie } = answered;
  const fields = { nonce, cookie, seq: 1n, role };
  const header = encodeFrame(RelayType.prove, { session }, []);
  const signed = { header, relayId: RELAY_ID, tokenHash: sha256(token), ...fields };
  const signature = sign(null, proveSigningInput(signed), privateKey);
  await seatTaken(load, seat, encodeProve({ session }, { ...fields, token, signature }));
}

async function seatTaken(load: Load, { side, flow }: Seat, question: Uint8Array): Promise<void> {
  // A COOKIE may come twice on a slow machine: it is no answer to a PROVE.
  const fits = (frame: Buffer) => typeof decodeCookie(frame) === 'string';
  const frame = await load.ask({ side, flow, question, fits });
  const proved = decodeProved(frame);
  if (typeof proved !== 'string') return;
  const refused = decodeRefused(frame);
  throw new Error(`no PROVED: ${typeof refused === 'string' ? proved : refused.reason}`);
}
