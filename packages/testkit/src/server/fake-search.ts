/** The search of the fake server: reads every message and compares texts. */
import type { Entry } from '@maru/protocol/events';
import { accepted, fakeError, refused } from './answers.ts';
import type { FakeRoom } from './fake-room.ts';

export interface SearchPayload {
  query: string;
  room?: string;
  from?: string;
  before?: number;
  after?: number;
  /** The number of messages that earlier pages contained. */
  cursor?: string;
  limit?: number;
}

const PAGE_DEFAULT = 20;

export function search(
  payload: SearchPayload,
  { rooms, reader, isDown }: { rooms: ReadonlyMap<string, FakeRoom>; reader: string; isDown: boolean },
): object {
  if (isDown) return refused(fakeError('unavailable'));
  const { query, room, from, before = Number.POSITIVE_INFINITY, after = 0, cursor = '0' } = payload;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...rooms.values()]
    .filter(({ id }) => room === undefined || id === room)
    .flatMap((one) => one.entriesFor(reader))
    .filter(({ type, deleted, ts }) => type === 'text' && deleted === undefined && ts > after && ts < before)
    .filter((entry) => from === undefined || entry.from.id === from)
    .filter(({ text = '' }) => words.every((word) => text.toLowerCase().includes(word)))
    .sort((a, b) => b.ts - a.ts || b.seq - a.seq);
  const start = Number(cursor);
  const end = start + (payload.limit ?? PAGE_DEFAULT);
  const messages = found.slice(start, end).map((entry) => withSnippet(entry, words));
  return accepted({ messages, ...(found.length > end ? { cursor: String(end) } : {}) });
}

function withSnippet(entry: Entry, words: readonly string[]): object {
  const { text = '' } = entry;
  const marks = words.map((word) => [text.toLowerCase().indexOf(word), word.length] as const);
  const ascending = marks.sort((one, other) => one[0] - other[0]);
  return { ...entry, snippet: { text, marks: ascending.map(([at, length]) => [at, at + length]) } };
}
