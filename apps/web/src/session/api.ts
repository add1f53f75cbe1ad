/**
 * The page's HTTP calls. A failure is an error code of the contract, or `network` if no answer
 * came.
 */
import { ERROR_CATALOGUE, type ErrorCode } from '@maru/protocol/errors';
import type { UserRef } from '@maru/protocol/events';

export interface Session {
  token: string;
  user: UserRef;
}

export interface ListedRoom {
  room: string;
  title: string;
  online: number;
}

export type ApiResult<T> = { ok: true; data: T } | { ok: false; code: ErrorCode | 'network' };

/** A proxy or a captive portal may keep a call open for ever. */
const CALL_TIMEOUT_MS = 10_000;

async function call(path: string, init: RequestInit): Promise<ApiResult<unknown>> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`/api/v1${path}`, { ...init, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    body = await response.json().catch(() => null);
  } catch {
    return { ok: false, code: 'network' };
  }
  if (response.ok) return { ok: true, data: body };
  return { ok: false, code: codeOfProblem(body) ?? codeOfStatus(response.status) };
}

function codeOfProblem(body: unknown): ErrorCode | null {
  const code = isObject(body) ? body.code : undefined;
  return typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : null;
}

/** If a proxy answered instead of the gateway, only the status is known. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 429) return 'rate_limited';
  if (status === 502 || status === 503 || status === 504) return 'unavailable';
  if (status >= 500) return 'internal';
  return status === 404 ? 'not_found' : 'invalid';
}

export async function enterAsGuest(name: string): Promise<ApiResult<Session>> {
  const result = await call('/guests', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!result.ok) return result;
  const session = parseSession(result.data);
  return session === null ? { ok: false, code: 'internal' } : { ok: true, data: session };
}

export async function listRooms(token: string): Promise<ApiResult<ListedRoom[]>> {
  const result = await call('/rooms?limit=100', { headers: { Authorization: `Bearer ${token}` } });
  if (!result.ok) return result;
  const rooms = isObject(result.data) && Array.isArray(result.data.rooms) ? result.data.rooms : [];
  return {
    ok: true,
    data: rooms
      .filter(isObject)
      .flatMap(({ room, title, online }) =>
        typeof room === 'string'
          ? [{ room, title: typeof title === 'string' ? title : '', online: typeof online === 'number' ? online : 0 }]
          : [],
      ),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

export function parseSession(value: unknown): Session | null {
  if (!isObject(value) || typeof value.token !== 'string' || !isObject(value.user)) return null;
  const { id, name } = value.user;
  return typeof id === 'string' && typeof name === 'string' ? { token: value.token, user: { id, name } } : null;
}
