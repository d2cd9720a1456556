/*
 * Who asks, and how a request is answered: what the rooms of the gateway (login, signaling, leases, access) have in
 * common. The server reads a message, checks its schema, asks `access` whether it is allowed, and calls the handler.
 */
import type { NoticeBody, NoticeName } from '../messages/notices.js';
import type { AnswerBody, RequestBody, RequestName } from '../messages/requests.js';
import type { CloseName, RequestRefusal } from '../messages/signaling.js';

/** A logged-in endpoint. */
export interface Caller {
  /** `sp1...` */
  readonly account: string;
  /** 32-byte identity key. */
  readonly identity: Uint8Array;
  /** 16 bytes as base64url. */
  readonly device: string;
  /** The device binding as it was shown at login. */
  readonly binding: Uint8Array;
  /** Revocations of devices of this account that are known. */
  readonly revocations: readonly Uint8Array[];
  /** Handle of the session. */
  readonly session: string;
  /** The session ends then. */
  readonly endsAt: number;
  /** ... or after this silence, where a role says less than the gateway's settings. */
  readonly idleSeconds?: number;
  /** When a second factor was proven in this session, Unix ms. */
  readonly secondFactorAt?: number;
  /** Named in the resource. */
  readonly administrator: boolean;
  /** Policy wants a second factor and there is none yet: only its enrolment is answered. */
  readonly mustEnrol: boolean;
}

/** One open connection of a logged-in endpoint. */
export interface Connection {
  /** Random, names this connection between replicas. */
  readonly id: string;
  /** Changes when a step-up or a role change does. */
  readonly caller: Caller;
  /** Address of the client, for limits and conditions; never stored, never logged as it is. */
  readonly address: string;
  /** False when it cannot take more now and will be closed for it: what was to be delivered was not. */
  notify<Name extends NoticeName>(name: Name, body: NoticeBody<Name>): boolean;
  close(why: CloseName): void;
}

/** Who asks and when. */
export interface RequestContext {
  readonly connection: Connection;
  readonly caller: Caller;
  /** Unix milliseconds. */
  readonly now: number;
  /** Role and rule that allowed it; only the room of roles writes and reads it. */
  decidedBy?: string;
  /** Replaces the caller of this connection, as after a step-up. */
  become(caller: Caller): void;
}

/** That a request is refused. */
export interface Refused {
  readonly refused: RequestRefusal;
  readonly retryAfterSeconds?: number;
}

/** Answers requests of one name. Throws StorageUnavailable when the store does; the server answers `unavailable`. */
export type Handler<Name extends RequestName> = (
  body: RequestBody<Name>,
  context: RequestContext,
) => Promise<AnswerBody<Name> | Refused> | AnswerBody<Name> | Refused;

/** Handlers by request name; each room gives its part. */
export type Handlers = { readonly [Name in RequestName]: Handler<Name> };

/** Whether an answer is a refusal. */
export const isRefused = (answer: object): answer is Refused => 'refused' in answer;

/** Connections that are open at this replica. */
export interface Connections {
  /** Of this account, or of one device or session of it. */
  of(account: string, device?: string): readonly Connection[];
  ofSession(session: string): readonly Connection[];
  byId(id: string): Connection | undefined;
  readonly count: number;
}
