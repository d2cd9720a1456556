/*
 * What the roles of an account allow in files and calls, as one grant says it. Limits of two roles are never mixed into
 * something that neither allows: for each verb the most generous role speaks, and where two roles speak for the two
 * verbs of one resource the stricter of each limit holds.
 */
import { MAX_GRANT_SECONDS, type GrantClaims } from '../../protocol/lease/grant.js';
import { isPermitted, type AccessRequest } from '../../policy/decision.js';
import type { BundleRole } from '../../policy/roles.js';

/** Who asks for a grant, and how he came. */
export type GrantRequest = Omit<AccessRequest, 'resource' | 'verb'>;

/** 2^40 bytes stand for no limit. */
const NO_LIMIT_BYTES = 2 ** 40;
/** As many endings as a grant has room for. */
const MAX_TYPES = 64;
const ANY_TYPE = '*';

interface FileLimits {
  readonly maxBytes: number;
  /** Undefined: every type. */
  readonly types: readonly string[] | undefined;
  readonly scan: boolean;
}

/** The claims of a grant for `device` (base64url) until `endsAtMs`, at most ten minutes from now. */
export function grantClaims(
  roles: readonly BundleRole[],
  request: GrantRequest,
  device: string,
  endsAtMs: number,
): GrantClaims {
  const having = (resource: 'File' | 'Call', verb: AccessRequest['verb']) =>
    roles.filter((role) => isPermitted([role], { ...request, resource, verb }));
  const sending = widest(having('File', 'Send').map(fileLimits), widerFiles);
  const receiving = widest(having('File', 'Receive').map(fileLimits), widerFiles);
  const starting = widest(having('Call', 'Start').map(callLimits), widerCalls);
  const joining = widest(having('Call', 'Join').map(callLimits), widerCalls);
  return {
    v: 1,
    device,
    exp: Math.floor(endOf(roles, request.at.getTime(), endsAtMs) / 1_000),
    ...fileClaims(sending, receiving),
    startCalls: starting !== undefined,
    joinCalls: joining !== undefined,
    ...callClaims(starting, joining),
  };
}

/** A grant ends with the first of the roles that it may rest on. */
function endOf(roles: readonly BundleRole[], nowMs: number, endsAtMs: number): number {
  const ends = roles
    .flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [Date.parse(expiresAt)]))
    .filter((end) => end > nowMs);
  return Math.min(nowMs + MAX_GRANT_SECONDS * 1_000, endsAtMs, ...ends);
}

const fileLimits = ({ files }: BundleRole): FileLimits => ({
  maxBytes: Math.min(files?.maxBytes ?? NO_LIMIT_BYTES, NO_LIMIT_BYTES),
  types: files?.allowedTypes?.map((type) => type.toLowerCase()),
  scan: files?.scan ?? false,
});

const callLimits = ({ calls }: BundleRole): BundleRole['calls'] => calls;

const widest = <Limits>(
  all: readonly Limits[],
  isWider: (a: Limits, b: Limits) => boolean,
): Limits | undefined =>
  all.reduce<Limits | undefined>(
    (best, each) => (best === undefined || isWider(each, best) ? each : best),
    undefined,
  );

/** Size first, then types, then whether a scan is needed. */
function widerFiles(a: FileLimits, b: FileLimits): boolean {
  if (a.maxBytes !== b.maxBytes) return a.maxBytes > b.maxBytes;
  const [many, few] = [a.types?.length ?? Infinity, b.types?.length ?? Infinity];
  return many === few ? !a.scan && b.scan : many > few;
}

const widerCalls = (a: BundleRole['calls'], b: BundleRole['calls']): boolean =>
  a.maxParticipants > b.maxParticipants;

type FileClaims = Pick<
  GrantClaims,
  'sendFiles' | 'receiveFiles' | 'maxFileBytes' | 'fileTypes' | 'scanFiles'
>;

const NO_FILES: FileClaims = {
  sendFiles: false,
  receiveFiles: false,
  maxFileBytes: 0,
  fileTypes: ANY_TYPE,
  scanFiles: true,
};

function fileClaims(
  sending: FileLimits | undefined,
  receiving: FileLimits | undefined,
): FileClaims {
  const limits = [sending, receiving].filter((each) => each !== undefined);
  const types = limits.reduce<readonly string[] | undefined>(
    (both, { types: own }) =>
      both && own ? both.filter((type) => own.includes(type)) : (both ?? own),
    undefined,
  );
  if (limits.length === 0 || types?.length === 0) return NO_FILES;
  return {
    sendFiles: sending !== undefined,
    receiveFiles: receiving !== undefined,
    maxFileBytes: Math.min(...limits.map(({ maxBytes }) => maxBytes)),
    fileTypes: types ? [...new Set(types)].sort().slice(0, MAX_TYPES).join(' ') : ANY_TYPE,
    scanFiles: limits.some(({ scan }) => scan),
  };
}

type CallClaims = Pick<GrantClaims, 'maxParticipants' | 'recording' | 'externalParticipants'>;

const NO_CALLS: CallClaims = {
  maxParticipants: 2,
  recording: 'Forbidden',
  externalParticipants: 'Forbidden',
};
const STRICT_FIRST = {
  recording: ['Forbidden', 'EncryptedLocalOnly'],
  externalParticipants: ['Forbidden', 'AdminApproval', 'Allowed'],
} as const;

function callClaims(
  starting: BundleRole['calls'] | undefined,
  joining: BundleRole['calls'] | undefined,
): CallClaims {
  const limits = [starting, joining].filter((each) => each !== undefined);
  if (limits.length === 0) return NO_CALLS;
  return {
    maxParticipants: Math.min(...limits.map(({ maxParticipants }) => maxParticipants)),
    recording: strictest(
      STRICT_FIRST.recording,
      limits.map(({ recording }) => recording),
    ),
    externalParticipants: strictest(
      STRICT_FIRST.externalParticipants,
      limits.map(({ externalParticipants }) => externalParticipants),
    ),
  };
}

const strictest = <Value extends string>(
  order: readonly [Value, ...Value[]],
  values: readonly Value[],
): Value => order.find((value) => values.includes(value)) ?? order[0];
