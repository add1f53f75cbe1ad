/** Entries and answers of a made-up room, for tests of its order. */
import type { Entry, HistoryData, JoinData } from '@maru/protocol/events';

export const entry = (seq: number, epoch = 'e1'): Entry => ({
  room: 'lobby',
  epoch,
  seq,
  ts: seq,
  n: seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  text: `${epoch}/${seq}`,
});

export const range = (from: number, to: number, epoch = 'e1') =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => entry(from + i, epoch));

export const joined = (messages: Entry[], head: number, epoch = 'e1'): JoinData => ({
  room: 'lobby',
  role: 'member',
  epoch,
  head,
  n: head,
  first: 1,
  recovered: true,
  messages,
  visibility: 'public',
  title: '',
});

export const page = (
  messages: Entry[],
  options: { epoch?: string; first?: number; hasMore?: boolean } = {},
): HistoryData => ({
  epoch: options.epoch ?? messages[0]?.epoch ?? 'e1',
  head: messages.at(-1)?.seq ?? 0,
  first: options.first ?? 1,
  messages,
  hasMore: options.hasMore ?? false,
});
