/** Turns an acknowledgement into data or a MaruError. */
import { ERROR_CATALOGUE, type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { ClientEventName, ClientRequests } from '@maru/protocol/events';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);

/** Maps an unknown code of a newer server to `internal` or `invalid`, depending on `retryable`. */
export function errorOfBody(body: unknown): MaruError {
  if (!isObject(body)) return new MaruError('internal', 'the answer cannot be read');
  const code = isErrorCode(body.code) ? body.code : body.retryable === true ? 'internal' : 'invalid';
  const message = typeof body.message === 'string' ? body.message : String(body.code);
  const after = body.retryAfterMs;
  const reason = body.reason === 'too_many_connections' ? body.reason : undefined;
  return typeof after === 'number' && Number.isFinite(after) && after >= 0
    ? new MaruError(code, message, { retryAfterMs: after, reason })
    : new MaruError(code, message, { reason });
}

export type Result<T> = { ok: true; data: T } | { ok: false; error: MaruError };

export type Done<T> = (result: Result<T>) => void;

/**
 * Sends a request. Calls `done` synchronously when the answer arrives. A promise would settle
 * later. Then packets after the answer, such as the first live entry after a join, would overtake
 * it.
 */
export type Request = <N extends ClientEventName>(
  name: N,
  payload: ClientRequests[N][0],
  done: (result: Result<ClientRequests[N][1]>) => void,
) => void;

export function resultOfAck<T>(ack: unknown): Result<T> {
  // Server data is trusted, because its types come from the same protocol package.
  if (isObject(ack) && ack.ok === true) return { ok: true, data: ack.data as T };
  return { ok: false, error: errorOfBody(isObject(ack) ? ack.error : undefined) };
}

export const unavailable = (message: string): { ok: false; error: MaruError } => ({
  ok: false,
  error: new MaruError('unavailable', message),
});

/** For requests whose order with other packets does not matter. */
export const promised = <T>(start: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => start((result) => (result.ok ? resolve(result.data) : reject(result.error))));
