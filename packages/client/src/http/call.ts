/**
 * One HTTP call under `/api/v1`. It returns failures as errors of the catalogue and throws nothing.
 */
import { ERROR_CATALOGUE, type ErrorBody, type ErrorCode, MaruError } from '@maru/protocol/errors';

export interface HttpTarget {
  /** The public address, such as `https://chat.example`. Default: the origin of the page. */
  url?: string;
  /** The caller's token. All calls need it except those before the sign-in. */
  token?: string;
  /** Timeout of the answer. Default: 10 s. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

/** `isUnreachable`: there was no answer, so the network or the server is down. */
export type HttpError = ErrorBody & { isUnreachable?: true };
export type HttpResult<T> = { ok: true; data: T } | { ok: false; error: HttpError };

export interface HttpCall {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Under `/api/v1`. */
  path: string;
  /** Each value of a list becomes a parameter with that name. */
  query?: Record<string, string | number | readonly string[] | undefined>;
  body?: object;
}

/** A proxy or a captive portal may keep a call open forever. */
const TIMEOUT_MS = 10_000;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** `parse` returns null if the answer has an unexpected form. */
export async function httpCall<T>(
  target: HttpTarget,
  call: HttpCall,
  parse: (body: unknown) => T | null,
): Promise<HttpResult<T>> {
  const signal = AbortSignal.timeout(target.timeoutMs ?? TIMEOUT_MS);
  try {
    const response = await send(target, call, signal);
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) return { ok: false, error: errorOf(response, body) };
    const data = parse(body);
    return data === null ? { ok: false, error: bodyOf('internal', 'the answer has another form') } : { ok: true, data };
  } catch {
    return { ok: false, error: UNREACHABLE };
  }
}

/** @throws if there is no answer */
export function send(target: HttpTarget, call: HttpCall, signal: AbortSignal): Promise<Response> {
  const { url = '', token, fetch: ask = fetch } = target;
  const { method = 'GET', path, query = {}, body } = call;
  const members = Object.entries(query).flatMap(([name, value = []]) =>
    (typeof value === 'object' ? value : [value]).map((one): [string, string] => [name, `${one}`]),
  );
  const search = members.length === 0 ? '' : `?${new URLSearchParams(members)}`;
  return ask(`${url}/api/v1${path}${search}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  });
}

const bodyOf = (code: ErrorCode, message: string, retryAfterMs?: number): ErrorBody =>
  new MaruError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }).toBody();

export const UNREACHABLE: HttpError = { ...bodyOf('unavailable', 'no answer'), isUnreachable: true };

/** Parses RFC 9457. If a proxy answered instead of the gateway, only the status is known. */
export function errorOf({ status, headers }: Pick<Response, 'status' | 'headers'>, body: unknown): HttpError {
  const { code, detail, retryAfterMs } = isObject(body) ? body : {};
  const seconds = Number(headers.get('Retry-After') ?? Number.NaN);
  const afterMs =
    typeof retryAfterMs === 'number' ? retryAfterMs : Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  const isKnown = typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code);
  const message = typeof detail === 'string' ? detail : `HTTP status ${status}`;
  return bodyOf(isKnown ? (code as ErrorCode) : codeOfStatus(status), message, afterMs);
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 429) return 'rate_limited';
  if (status === 502 || status === 503 || status === 504) return 'unavailable';
  if (status >= 500) return 'internal';
  return status === 404 ? 'not_found' : 'invalid';
}
