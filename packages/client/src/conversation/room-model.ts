/**
 * The messages of one room, built from reads and from entries. Pure: no requests, no clock.
 *
 * A read shows messages as of the head of its answer; an entry changes a message only if it comes
 * after that head. So reads and entries may come in any order. Entries that arrive while a read is
 * in flight are kept until its answer, which may be older than they are.
 *
 * Memory: at most `WINDOW_MESSAGES_MAX` messages of the room, `THREAD_MESSAGES_MAX` of each open
 * thread, the pinned messages, and `RECENT_ENTRIES_MAX` entries while a read is in flight.
 */
import type { Entry } from '@maru/protocol/events';
import { applyAnswer, withoutMessage } from './apply-answer.ts';
import { applyEntry, remember } from './apply-entries.ts';
import {
  type Draft,
  isInThread,
  isInWindow,
  isShown,
  type ModelInput,
  type Read,
  type RoomModel,
  THREAD_MESSAGES_MAX,
  type ThreadState,
  WINDOW_MESSAGES_MAX,
} from './model-state.ts';

/** With fewer messages in the window, older ones are read without being asked for. */
const WINDOW_MESSAGES_WANTED = 20;

const UNREAD_THREAD: ThreadState = { slice: null, isMissing: false };

export const newModel = (ownId: string, generation = 0): RoomModel => ({
  ownId,
  generation,
  epoch: null,
  position: null,
  head: 0,
  n: 0,
  messages: new Map(),
  window: null,
  target: null,
  threads: new Map(),
  pins: 'closed',
  reads: 0,
  recent: [],
  recentAfter: 0,
});

export function stepModel(model: RoomModel, input: ModelInput): RoomModel {
  switch (input.type) {
    case 'at': {
      if (model.position !== null) return model;
      const { epoch, seq } = input;
      return { ...model, epoch, position: seq, head: Math.max(model.head, seq) };
    }
    case 'entries':
      return onEntries(model, input.entries, input.readAt);
    case 'gap':
      return startAnew(model);
    case 'rollback': {
      const { epoch } = input;
      const position = Math.min(model.position ?? input.head, input.head);
      const window = { from: position + 1, to: null, hasOlder: position > 0 };
      return { ...startAnew(model), epoch, position, head: position, window };
    }
    case 'asked':
      if (model.reads > 0) return { ...model, reads: model.reads + 1 };
      return { ...model, reads: 1, recent: [], recentAfter: model.position ?? 0 };
    case 'failed':
      return input.generation === model.generation ? readEnded(model) : model;
    case 'missing':
      return input.generation === model.generation ? readEnded(withoutMessage(model, input.seq)) : model;
    case 'answered': {
      if (input.generation !== model.generation) return model;
      const next = applyAnswer(model, input.read, input.data);
      return readEnded(next === model ? model : forgetUnshown(next, input.read.kind === 'older' ? 'newest' : 'oldest'));
    }
    case 'jump':
      return { ...model, target: input.to };
    case 'open-thread':
      return model.threads.has(input.root) ? model : withThread(model, input.root, UNREAD_THREAD);
    case 'close-thread':
      return forgetUnshown(withThread(model, input.root, null), 'oldest');
    case 'open-pins':
      return model.pins === 'closed' ? { ...model, pins: { before: null } } : model;
    case 'close-pins':
      return forgetUnshown({ ...model, pins: 'closed' }, 'oldest');
  }
}

function readEnded(model: RoomModel): RoomModel {
  const reads = Math.max(0, model.reads - 1);
  return { ...model, reads, recent: reads === 0 ? [] : model.recent };
}

function withThread(model: RoomModel, root: number, thread: ThreadState | null): RoomModel {
  const threads = new Map(model.threads);
  if (thread === null) threads.delete(root);
  else threads.set(root, thread);
  return { ...model, threads };
}

/** Everything has to be read again. What is open stays open. */
function startAnew({ ownId, generation, threads, pins }: RoomModel): RoomModel {
  const unread = new Map([...threads.keys()].map((root) => [root, UNREAD_THREAD]));
  return { ...newModel(ownId, generation + 1), threads: unread, pins: pins === 'closed' ? pins : { before: null } };
}

function onEntries(model: RoomModel, entries: readonly Entry[], readAt: number | undefined): RoomModel {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return model;
  // What was read when the room was joined is its end.
  const isEnd = model.position === null && readAt !== undefined;
  const next: Draft = { ...model, epoch: last.epoch, position: last.seq, messages: new Map(model.messages) };
  if (isEnd) next.window = { from: first.seq, to: null, hasOlder: first.seq > 1 };
  next.head = Math.max(model.head, last.seq, readAt ?? 0);
  next.n = Math.max(model.n, last.n);
  remember(next, entries);
  for (const entry of entries) applyEntry(next, entry, readAt);
  return forgetUnshown(next, 'oldest');
}

/** Also limits what is shown, at one end of the window. */
function forgetUnshown(model: RoomModel, end: 'oldest' | 'newest'): RoomModel {
  const next = limitThreads(limitWindow(model, end));
  const messages = new Map([...next.messages].filter(([, message]) => isShown(next, message)));
  return messages.size === next.messages.size ? next : { ...next, messages };
}

const ascending = (seqs: number[]): number[] => seqs.sort((a, b) => a - b);

export const windowSeqs = (model: RoomModel): number[] =>
  ascending([...model.messages.keys()].filter((seq) => isInWindow(model, seq)));

export const threadSeqs = (model: RoomModel, root: number): number[] =>
  ascending([...model.messages.values()].filter((one) => isInThread(model, root, one)).map(({ seq }) => seq));

function limitWindow(model: RoomModel, end: 'oldest' | 'newest'): RoomModel {
  const { window, messages } = model;
  if (window === null || messages.size <= WINDOW_MESSAGES_MAX) return model;
  const seqs = windowSeqs(model);
  if (seqs.length <= WINDOW_MESSAGES_MAX) return model;
  if (end === 'newest') return { ...model, window: { ...window, to: seqs[WINDOW_MESSAGES_MAX - 1] ?? null } };
  return { ...model, window: { ...window, from: seqs.at(-WINDOW_MESSAGES_MAX) ?? window.from, hasOlder: true } };
}

function limitThreads(model: RoomModel): RoomModel {
  let next = model;
  for (const [root, thread] of model.threads) {
    if (thread.slice === null || model.messages.size <= THREAD_MESSAGES_MAX) continue;
    const from = threadSeqs(model, root).at(-THREAD_MESSAGES_MAX);
    // Without one, the thread has fewer replies.
    if (from === undefined || from <= thread.slice.from) continue;
    next = withThread(next, root, { ...thread, slice: { ...thread.slice, from, hasOlder: true } });
  }
  return next;
}

/** The reads that are missing now, the most urgent first. `lazy`: it can wait a little. */
export function neededReads(model: RoomModel): Array<{ read: Read; isLazy: boolean }> {
  if (model.position === null) return [];
  const { window, target } = model;
  const now: Read[] = [];
  if (target !== null) now.push(target === 'newest' ? { kind: 'newest' } : { kind: 'around', seq: target });
  else if (window === null) now.push({ kind: 'newest' });
  else if (window.hasOlder && window.to === null && windowSeqs(model).length < WINDOW_MESSAGES_WANTED)
    now.push({ kind: 'older', seq: window.from });
  for (const [root, { slice, isMissing }] of model.threads) {
    if (isMissing) continue;
    if (slice === null) now.push({ kind: 'thread', root, before: null });
    if (!model.messages.has(root)) now.push({ kind: 'one', seq: root });
  }
  if (typeof model.pins === 'object') now.push({ kind: 'pins', before: model.pins.before });
  const stale = [...model.messages.values()].filter(({ staleAt }) => staleAt !== null);
  return [
    ...now.map((read) => ({ read, isLazy: false })),
    ...stale.map(({ seq }) => ({ read: { kind: 'one', seq } as const, isLazy: true })),
  ];
}
