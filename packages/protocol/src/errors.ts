/** The error catalogue. Callers match `code`, never `message`. */

/**
 * HTTP status and retryability of each code. `not_found` is the same answer for absent and hidden
 * rooms.
 */
export const ERROR_CATALOGUE = {
  unauthenticated: { retryable: false, httpStatus: 401, title: 'No valid token' },
  forbidden: { retryable: false, httpStatus: 403, title: 'Not allowed' },
  not_found: { retryable: false, httpStatus: 404, title: 'Not found' },
  invalid: { retryable: false, httpStatus: 400, title: 'Invalid request' },
  too_large: { retryable: false, httpStatus: 413, title: 'Too large' },
  conflict: { retryable: false, httpStatus: 409, title: 'Conflict' },
  rate_limited: { retryable: true, httpStatus: 429, title: 'Too many requests' },
  internal: { retryable: true, httpStatus: 500, title: 'Internal error' },
  unavailable: { retryable: true, httpStatus: 503, title: 'The store is not available now' },
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** A more precise reason than the code, for cases in which a program must act on it. */
export type ErrorReason = 'too_many_connections';

/**
 * The `error` of an acknowledgement. `retryAfterMs` is present only if a retry after that time may
 * succeed.
 */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
  reason?: ErrorReason;
}

/** An error over HTTP: RFC 9457, with the same codes as acknowledgements. */
export function problemOf(error: MaruError): Record<string, unknown> {
  const { httpStatus: status, title } = ERROR_CATALOGUE[error.code];
  const { message: detail, ...rest } = error.toBody();
  return { type: 'about:blank', title, status, detail, ...rest };
}

/** An expected failure, which clients receive unchanged. Every other error becomes `internal`. */
export class MaruError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly reason: ErrorReason | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryAfterMs?: number; reason?: ErrorReason | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MaruError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.reason = options.reason;
  }

  toBody(): ErrorBody {
    const body: ErrorBody = {
      code: this.code,
      message: this.message,
      retryable: ERROR_CATALOGUE[this.code].retryable,
    };
    if (this.retryAfterMs !== undefined) body.retryAfterMs = this.retryAfterMs;
    if (this.reason !== undefined) body.reason = this.reason;
    return body;
  }
}
