/** What went wrong in a call, as a closed list: code matches on this, never on message text. */
export type ApiErrorKind =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'BadRequest'
  | 'Forbidden'
  | 'Unauthorized'
  | 'TooManyRequests'
  | 'Timeout'
  | 'ServerError'
  | 'Network'
  | 'Aborted';

/** One cause of a Status (metav1.StatusCause): which field, and why. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** The answer of the API server to a call that failed (metav1.Status), and what the transport knows. */
export interface ApiFailure {
  readonly kind: ApiErrorKind;
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  /** `Status.reason`, e.g. `AlreadyExists`; '' when no Status came. */
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A call to the API server that did not succeed. */
export class ApiError extends Error implements ApiFailure {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds?: number;

  constructor(failure: ApiFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.kind = failure.kind;
    this.code = failure.code;
    this.reason = failure.reason;
    this.causes = failure.causes;
    if (failure.retryAfterSeconds !== undefined) this.retryAfterSeconds = failure.retryAfterSeconds;
  }
}

/** Whether `error` is an ApiError of one of `kinds`. */
export function isApiError(error: unknown, ...kinds: readonly ApiErrorKind[]): error is ApiError {
  return error instanceof ApiError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** What a failed answer says before its body is believed. */
interface StatusBody {
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly details?: { readonly causes?: unknown; readonly retryAfterSeconds?: unknown };
}

const KIND_OF_REASON: Readonly<Record<string, ApiErrorKind>> = {
  NotFound: 'NotFound',
  AlreadyExists: 'AlreadyExists',
  Conflict: 'Conflict',
  Gone: 'Gone',
  Expired: 'Gone',
  Invalid: 'Invalid',
  BadRequest: 'BadRequest',
  Forbidden: 'Forbidden',
  Unauthorized: 'Unauthorized',
  TooManyRequests: 'TooManyRequests',
  Timeout: 'Timeout',
  ServerTimeout: 'Timeout',
  InternalError: 'ServerError',
  ServiceUnavailable: 'ServerError',
};

const KIND_OF_CODE: Readonly<Record<number, ApiErrorKind>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  422: 'Invalid',
  429: 'TooManyRequests',
  504: 'Timeout',
};

/** The longest message kept: the server repeats whole objects in some. */
const MAX_MESSAGE_CHARACTERS = 1024;

/**
 * The error for an answer with an HTTP status of 400 or more, or for the Status in an ERROR event of a watch.
 * `body` is the parsed answer, or undefined when it was not JSON; `retryAfter` the header of that name.
 */
export function errorOfStatus(code: number, body: unknown, retryAfter?: string): ApiError {
  const status: StatusBody = isRecord(body) ? body : {};
  const reason = typeof status.reason === 'string' ? status.reason : '';
  const message = typeof status.message === 'string' ? status.message : `HTTP status ${code}`;
  const seconds = retryAfterSeconds(retryAfter, status.details?.retryAfterSeconds);
  return new ApiError({
    kind:
      KIND_OF_REASON[reason] ?? KIND_OF_CODE[code] ?? (code >= 500 ? 'ServerError' : 'BadRequest'),
    code,
    reason,
    message: message.slice(0, MAX_MESSAGE_CHARACTERS),
    causes: causesOf(status.details?.causes),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

/** The error of a call that got no answer (`Network`, `Timeout`, `Aborted`). */
export function errorWithoutAnswer(kind: ApiErrorKind, message: string, cause: unknown): ApiError {
  return new ApiError({ kind, code: 0, reason: '', message, causes: [] }, { cause });
}

function retryAfterSeconds(header: string | undefined, detail: unknown): number | undefined {
  const fromHeader = header === undefined ? Number.NaN : Number(header);
  if (Number.isFinite(fromHeader) && fromHeader >= 0) return fromHeader;
  return typeof detail === 'number' && detail > 0 ? detail : undefined;
}

function causesOf(causes: unknown): readonly StatusCause[] {
  if (!Array.isArray(causes)) return [];
  return causes.filter(isRecord).map((cause) => ({
    ...(typeof cause['reason'] === 'string' ? { reason: cause['reason'] } : {}),
    ...(typeof cause['message'] === 'string' ? { message: cause['message'] } : {}),
    ...(typeof cause['field'] === 'string' ? { field: cause['field'] } : {}),
  }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
