/** The acknowledgements of the fake server. */
import { type Entry, ERROR_CATALOGUE, type ErrorBody, type ErrorCode, LIMITS } from '@maru/protocol';
import type { FakeRoom } from './fake-room.ts';
import type { FaultSwitches } from './fault-switches.ts';

export type Payload = Record<string, unknown> & { room: string };

export const fakeError = (code: ErrorCode, retryAfterMs?: number): ErrorBody => ({
  code,
  message: code,
  retryable: ERROR_CATALOGUE[code].retryable,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

export const refused = (error: ErrorBody) => ({ ok: false, error });
export const accepted = (data: unknown) => ({ ok: true, data });

/** Why a connection with this token is refused. */
export function connectRefusal(token: unknown, { refusedTokens, crowded }: FaultSwitches): object | null {
  if (typeof token !== 'string' || token === '' || refusedTokens.has(token)) return { code: 'unauthenticated' };
  return crowded ? { ...fakeError('rate_limited', 5_000), reason: 'too_many_connections' } : null;
}

export const renewal = (refusal: ErrorCode | null) =>
  refusal === null ? accepted({ expiresAt: Date.now() + 60_000 }) : refused(fakeError(refusal));

export function stored({ epoch, seq, ts, n }: Entry, duplicate: boolean): object {
  return accepted({ epoch, seq, ts, n, duplicate });
}

export function readHistory(payload: Payload, room: FakeRoom, reader: string): object {
  const { before = Number.POSITIVE_INFINITY, after, limit = LIMITS.pageEntriesDefault, epoch } = payload;
  if (epoch !== undefined && epoch !== room.epoch) return refused(fakeError('conflict'));
  const all = room.entriesFor(reader).filter(({ seq }) => seq > Number(after ?? 0) && seq < Number(before));
  const messages = after === undefined ? all.slice(-Number(limit)) : all.slice(0, Number(limit));
  return accepted({ epoch: room.epoch, head: room.head, first: 1, messages, hasMore: all.length > messages.length });
}
