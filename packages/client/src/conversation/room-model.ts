/**
 * The messages of one room, built from reads and entries. Pure: no requests, no clock.
 *
 * A read returns messages as of the head of its answer. An entry changes a message only if it comes
 * after that head. So reads and entries may come in any order. Entries that arrive while a read is
 * in flight are kept until its answer, which may be older than they are.
 *
 * Memory: at most `WINDOW_LIMITS.max` messages of the room, `THREAD_MESSAGES_MAX` of each open
 * thread, the pinned messages, and `RECENT_ENTRIES_MAX` entries while a read is in flight.
 */
import type { Entry } from '@maru/protocol/events';
import { applyAnswer, withoutMessage } from './apply-answer.ts';
import { applyEntry, remember } from './apply-entries.ts';
import {
  type Draft,
  isInThread,
  isShown,
  type ModelInput,
  type Read,
  type RoomModel,
  THREAD_MESSAGES_MAX,
  type ThreadState,
  WINDOW_LIMITS,
  type WindowLimits,
} from './model-state.ts';
import { isPlacing, jump, limitWindow, placingRead, rest, sameRead, windowSeqs } from './window.ts';

export { windowSeqs } from './window.ts';

const UNREAD_THREAD: ThreadState = { slice: null, isMissing: false };

export const newModel = (ownId: string, limits: WindowLimits = WINDOW_LIMITS): RoomModel => ({
  ownId,
  limits,
  generation: 0,
  epoch: null,
  position: null,
  head: 0,
  n: 0,
  messages: new Map(),
  window: null,
  target: null,
  place: null,
  focus: null,
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
      const next = { ...startAnew(model), epoch, position, head: position };
      if (next.focus !== null && next.focus <= position) return next;
      return { ...next, focus: null, window: { from: position + 1, to: null, hasOlder: position > 0 } };
    }
    case 'asked':
      if (model.reads > 0) return { ...model, reads: model.reads + 1 };
      return { ...model, reads: 1, recent: [], recentAfter: model.position ?? 0 };
    case 'failed':
      return input.generation === model.generation ? readEnded(withoutJump(model, input.read)) : model;
    case 'missing':
      return input.generation === model.generation ? readEnded(withoutMessage(model, input.seq)) : model;
    case 'answered': {
      if (input.generation !== model.generation) return model;
      const next = applyAnswer(model, input.read, input.data);
      return readEnded(next === model ? model : forgetUnshown(next, input.read.kind === 'older' ? 'newest' : 'oldest'));
    }
    case 'jump':
      return jump(model, input.to);
    case 'look':
      return look(model, input.at, input.isAtEnd);
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

/** Gives up a jump that cannot succeed, unless another jump has replaced it. */
function withoutJump(model: RoomModel, read: Read | undefined): RoomModel {
  if (read === undefined || !isPlacing(read) || !sameRead(placingRead(model), read)) return model;
  // If the place around the user cannot be read, the end of the room may be readable.
  return model.target === null ? { ...model, focus: null } : { ...model, target: null };
}

function look(model: RoomModel, at: number | null, isAtEnd: boolean): RoomModel {
  const focus = isAtEnd ? null : at;
  const next = model.focus === focus ? model : { ...model, focus };
  const rested = isAtEnd && at !== null ? rest(next, at) : next;
  return rested === next ? next : forgetUnshown(rested, 'oldest');
}

function withThread(model: RoomModel, root: number, thread: ThreadState | null): RoomModel {
  const threads = new Map(model.threads);
  if (thread === null) threads.delete(root);
  else threads.set(root, thread);
  return { ...model, threads };
}

/** Reads everything again. Open parts stay open, and the reading position stays. */
function startAnew({ ownId, limits, generation, target, focus, threads, pins }: RoomModel): RoomModel {
  return {
    ...newModel(ownId, limits),
    generation: generation + 1,
    target,
    focus,
    threads: new Map([...threads.keys()].map((root) => [root, UNREAD_THREAD])),
    pins: pins === 'closed' ? pins : { before: null },
  };
}

function onEntries(model: RoomModel, entries: readonly Entry[], readAt: number | undefined): RoomModel {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return model;
  // The entries of the join are the room's end. The user reads there unless there was a jump.
  const isEnd = model.position === null && readAt !== undefined && model.focus === null;
  const next: Draft = { ...model, epoch: last.epoch, position: last.seq, messages: new Map(model.messages) };
  if (isEnd) next.window = { from: first.seq, to: null, hasOlder: first.seq > 1 };
  next.head = Math.max(model.head, last.seq, readAt ?? 0);
  next.n = Math.max(model.n, last.n);
  remember(next, entries, readAt);
  for (const entry of entries) applyEntry(next, entry, readAt);
  return forgetUnshown(next, 'oldest');
}

/** Also limits the shown part, at one end of the window. */
function forgetUnshown(model: RoomModel, end: 'oldest' | 'newest'): RoomModel {
  const next = limitThreads(limitWindow(model, end));
  const messages = new Map([...next.messages].filter(([, message]) => isShown(next, message)));
  return messages.size === next.messages.size ? next : { ...next, messages };
}

export const threadSeqs = (model: RoomModel, root: number): number[] =>
  [...model.messages.values()]
    .filter((one) => isInThread(model, root, one))
    .map(({ seq }) => seq)
    .sort((a, b) => a - b);

function limitThreads(model: RoomModel): RoomModel {
  let next = model;
  for (const [root, thread] of model.threads) {
    if (thread.slice === null || model.messages.size <= THREAD_MESSAGES_MAX) continue;
    const from = threadSeqs(model, root).at(-THREAD_MESSAGES_MAX);
    // Without this message, the thread has fewer replies than the maximum.
    if (from === undefined || from <= thread.slice.from) continue;
    next = withThread(next, root, { ...thread, slice: { ...thread.slice, from, hasOlder: true } });
  }
  return next;
}

/** The missing reads, most urgent first. `lazy`: the read can wait a little. */
export function neededReads(model: RoomModel): Array<{ read: Read; isLazy: boolean }> {
  if (model.position === null) return [];
  const { window } = model;
  const now: Read[] = [];
  const placing = placingRead(model);
  if (placing !== null) now.push(placing);
  else if (window?.hasOlder && window.to === null && windowSeqs(model).length < model.limits.wanted)
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
