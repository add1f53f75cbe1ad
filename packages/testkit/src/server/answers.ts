/** The acknowledgements of the fake server. */
import { type Entry, ERROR_CATALOGUE, type ErrorBody, type ErrorCode, LIMITS } from '@maru/protocol';
import type { FakeRoom } from './fake-room.ts';

export type Payload = Record<string, unknown> & { room: string };

export const fakeError = (code: ErrorCode, retryAfterMs?: number): ErrorBody => ({
  code,
  message: code,
  retryable: ERROR_CATALOGUE[code].retryable,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

export const refused = (error: ErrorBody) => ({ ok: false, error });
export const accepted = (data: unknown) => ({ ok: true, data });

export const renewal = (refusal: ErrorCode | null) =>
  refusal === null ? accepted({ expiresAt: Date.now() + 60_000 }) : refused(fakeError(refusal));

export function stored({ epoch, seq, ts }: Entry, duplicate: boolean): object {
  return accepted({ epoch, seq, ts, duplicate });
}

export function readHistory(payload: Payload, room: FakeRoom): object {
  const { before = Number.POSITIVE_INFINITY, after, limit = LIMITS.pageEntriesDefault, epoch } = payload;
  if (epoch !== undefined && epoch !== room.epoch) return refused(fakeError('conflict'));
  const all = room.entries.filter(({ seq }) => seq > Number(after ?? 0) && seq < Number(before));
  const messages = after === undefined ? all.slice(-Number(limit)) : all.slice(0, Number(limit));
  return accepted({ epoch: room.epoch, first: 1, messages, hasMore: all.length > messages.length });
}
