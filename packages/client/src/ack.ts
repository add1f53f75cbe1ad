/** Turns what came back for a request into data or a MaruError of the catalogue. */
import { ERROR_CATALOGUE, type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { ClientEventName, ClientRequests } from '@maru/protocol/events';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);

/** A code that a newer server may have is taken for the nearest one that we know, by whether a retry may help. */
export function errorOfBody(body: unknown): MaruError {
  if (!isObject(body)) return new MaruError('internal', 'the answer cannot be read');
  const code = isErrorCode(body.code) ? body.code : body.retryable === true ? 'internal' : 'invalid';
  const message = typeof body.message === 'string' ? body.message : String(body.code);
  const after = body.retryAfterMs;
  return typeof after === 'number' && Number.isFinite(after) && after >= 0
    ? new MaruError(code, message, { retryAfterMs: after })
    : new MaruError(code, message);
}

export type Result<T> = { ok: true; data: T } | { ok: false; error: MaruError };

/**
 * Asks for something and hands the answer to `done`, at the very moment it arrives. A promise would settle some turns later,
 * and what the server sent right behind the answer, the first live entry after a join, say, would overtake it.
 */
export type Request = <N extends ClientEventName>(
  name: N,
  payload: ClientRequests[N][0],
  done: (result: Result<ClientRequests[N][1]>) => void,
) => void;

export function resultOfAck<T>(ack: unknown): Result<T> {
  // The server is trusted for the shape of its data: its types come from the same protocol package.
  if (isObject(ack) && ack.ok === true) return { ok: true, data: ack.data as T };
  return { ok: false, error: errorOfBody(isObject(ack) ? ack.error : undefined) };
}

export const unavailable = (message: string): { ok: false; error: MaruError } => ({
  ok: false,
  error: new MaruError('unavailable', message),
});
