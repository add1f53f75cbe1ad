/**
 * Orders the entries of one room. A pure state machine: input may be duplicated, incomplete or of
 * another epoch. Output is contiguous and without duplicates. Where that is impossible, a `gap`
 * comes first.
 *
 * It does not know sockets, timers or requests. It returns effects, and the caller passes the
 * answers back. At most one read is in flight. A page carries the number of its read, so that
 * outdated answers are ignored.
 */
import type { Entry, HistoryData, JoinData, NotRecoveredReason, Position, ResumedRoom } from '@maru/protocol/events';
import type { Backfilling, GapReason, RoomEffect, RoomInput, RoomState, Want } from './room-state.ts';
import { contiguousHead, contiguousTail, missingBefore, positionOf, unseen } from './slices.ts';

/** Live entries held during a backfill. Further ones are dropped and read from the log instead. */
export const HELD_ENTRIES_MAX = 1_000;

/** Reads without new entries before the gap counts as unreadable. */
export const STALLED_READS_MAX = 5;

export interface RoomStep {
  state: RoomState;
  effects: RoomEffect[];
}

export const newRoom = (): RoomState => ({ phase: 'waiting', position: null, readId: 0 });

const stay = (state: RoomState): RoomStep => ({ state, effects: [] });

export function stepRoom(state: RoomState, input: RoomInput): RoomStep {
  switch (input.type) {
    case 'offline':
      return stay({ phase: 'waiting', position: state.position, readId: state.readId });
    case 'joined':
      return onJoined(state, input.data, input.wanted);
    case 'resumed':
      return onResumed(state, input.answer);
    case 'entry':
      return onEntry(state, input.entry);
    case 'page':
      return onPage(state, input.readId, input.data);
    case 'page-conflict':
      if (state.phase !== 'backfilling' || state.readId !== input.readId) return stay(state);
      return readNewest(state.position, 'epoch', [], state.readId);
    case 'epoch':
      return onEpoch(state, input.epoch, input.head);
    case 'behind':
      return state.phase === 'live' ? readAfter(state.position, [], state.readId, 0) : stay(state);
  }
}

function onJoined(state: RoomState, data: JoinData, wanted: number): RoomStep {
  const { position, readId } = state;
  if (position === null) return begin(data, wanted, readId);
  if (data.recovered && data.epoch === position.epoch) {
    // Process the entries one by one, so that a gap in the answer is found like any other gap.
    const { state: now, effects } = data.messages.reduce(then, stay({ phase: 'live', position, readId }));
    if (now.phase !== 'live' || now.position.seq >= data.head) return { state: now, effects };
    const next = readAfter(now.position, [], readId, 0);
    return { state: next.state, effects: [...effects, ...next.effects] };
  }
  const tail = contiguousTail(data.messages);
  // The answer is incomplete.
  if (tail.at(-1)?.seq !== data.head && data.first <= data.head)
    return readNewest(position, reasonOf(data), [], readId);
  const entries = unseen(tail, data.epoch, position);
  return {
    state: { phase: 'live', position: { epoch: data.epoch, seq: data.head }, readId },
    effects: [{ do: 'gap', reason: reasonOf(data), after: position }, ...deliver(entries, data.head)],
  };
}

/**
 * Handles the first answer. If it lacks entries, all entries from there are read. A read may
 * contain messages of another moment, and entries of one delivery must be of the same moment.
 */
function begin(data: JoinData, wanted: number, readId: number): RoomStep {
  const { epoch, head } = data;
  const entries = contiguousTail(data.messages);
  const from = Math.max(data.first, head - wanted + 1);
  const isComplete = entries.at(-1)?.seq === head && (entries[0]?.seq ?? 0) <= from;
  if (isComplete || from > head) {
    return { state: { phase: 'live', position: { epoch, seq: head }, readId }, effects: deliver(entries, head) };
  }
  return readAfter({ epoch, seq: from - 1 }, [], readId, 0);
}

function onResumed(state: RoomState, answer: Exclude<ResumedRoom, { error: unknown }>): RoomStep {
  const { position, readId } = state;
  // Only rooms with a position are resumed.
  if (position === null) return stay(state);
  if (answer.recovered && answer.epoch === position.epoch) return stay({ phase: 'live', position, readId });
  return readNewest(position, reasonOf(answer), [], readId);
}

const reasonOf = (answer: { recovered: boolean; reason?: NotRecoveredReason }): GapReason => answer.reason ?? 'epoch';

const then = (step: RoomStep, entry: Entry): RoomStep => {
  const next = onEntry(step.state, entry);
  return { state: next.state, effects: mergeDeliveries([...step.effects, ...next.effects]) };
};

function onEntry(state: RoomState, entry: Entry): RoomStep {
  if (state.phase === 'waiting') return stay(state);
  if (state.phase === 'backfilling') return stay(hold(state, entry));
  const { position } = state;
  // The epoch event should have come first. Without it, the extent of the rollback is unknown, so
  // start from the newest entries.
  if (entry.epoch !== position.epoch) return readNewest(position, 'epoch', [entry], state.readId);
  if (entry.seq <= position.seq) return stay(state);
  if (entry.seq === position.seq + 1) {
    return { state: { ...state, position: positionOf(entry) }, effects: deliver([entry]) };
  }
  return readAfter(position, [entry], state.readId, 0);
}

function hold(state: Backfilling, entry: Entry): Backfilling {
  const last = state.held.at(-1);
  // Live entries ascend. An entry out of order is a duplicate, or the read will return it.
  if (last !== undefined && last.epoch === entry.epoch && entry.seq <= last.seq) return state;
  if (state.held.length >= HELD_ENTRIES_MAX) return { ...state, overflowed: true };
  return { ...state, held: [...state.held, entry] };
}

function onPage(state: RoomState, readId: number, data: HistoryData): RoomStep {
  if (state.phase !== 'backfilling' || state.readId !== readId) return stay(state);
  return state.want.kind === 'newest' ? onNewest(state, state.want.reason, data) : onAfter(state, data);
}

function onNewest(state: Backfilling, reason: GapReason, data: HistoryData): RoomStep {
  const { position } = state;
  const entries = unseen(contiguousTail(data.messages), data.epoch, position);
  // An empty page means that no entry is kept. Then `first` is the head plus one.
  let seq = entries.at(-1)?.seq ?? Math.max(0, data.first - 1);
  if (data.epoch === position.epoch && seq <= position.seq) {
    // No newer entry is readable, so continue with the held entries.
    seq = Math.max(position.seq, (state.held.find((entry) => entry.epoch === data.epoch)?.seq ?? 0) - 1);
  }
  const effects: RoomEffect[] = [{ do: 'gap', reason, after: position }, ...deliver(entries, data.head)];
  return drain({ ...state, position: { epoch: data.epoch, seq }, overflowed: false }, effects, state.overflowed);
}

function onAfter(state: Backfilling, data: HistoryData): RoomStep {
  const { position } = state;
  if (data.epoch !== position.epoch) return readNewest(position, 'epoch', state.held, state.readId);
  const fresh = data.messages.filter((entry) => entry.seq > position.seq);
  const next = fresh[0];
  if (next === undefined) {
    const trimmed = data.first > position.seq + 1;
    const waitsFor = state.held[0];
    if (waitsFor === undefined && !state.overflowed) return stay({ phase: 'live', position, readId: state.readId });
    // If the held entries continue the position, no read is needed.
    if (waitsFor?.epoch === position.epoch && waitsFor.seq <= position.seq + 1) {
      return drain({ ...state, overflowed: false }, [], state.overflowed);
    }
    if (trimmed) return readNewest(position, 'trimmed', state.held, state.readId);
    if (state.stalledReads + 1 >= STALLED_READS_MAX) {
      return readNewest(position, 'unreadable', state.held, state.readId);
    }
    return readAfter(position, state.held, state.readId, state.stalledReads + 1, state.overflowed);
  }
  // The log no longer has the next entry. Report the gap, and continue with the existing entries.
  const effects: RoomEffect[] = next.seq > position.seq + 1 ? [{ do: 'gap', reason: 'trimmed', after: position }] : [];
  const entries = contiguousHead(fresh);
  const reached = entries.at(-1) ?? next;
  effects.push(...deliver(entries, data.head));
  // Entries after the held ones arrive live.
  const heldFollow = state.held.some(({ epoch, seq }) => epoch === reached.epoch && seq > reached.seq);
  const more = (data.hasMore && !heldFollow) || entries.length < fresh.length || state.overflowed;
  return drain({ ...state, position: positionOf(reached), overflowed: false }, effects, more);
}

/**
 * Delivers held entries that continue the position. Reads again if some do not, or if `more` is
 * true.
 */
function drain(state: Backfilling, effects: RoomEffect[], more: boolean): RoomStep {
  let { position } = state;
  const ready: Entry[] = [];
  const rest: Entry[] = [];
  for (const entry of state.held) {
    if (entry.epoch !== position.epoch) {
      // An entry of an older epoch, or of one that the page did not know yet. In the second case,
      // the next entry reveals the epoch.
      continue;
    }
    if (entry.seq <= position.seq) continue;
    if (rest.length === 0 && entry.seq === position.seq + 1) {
      ready.push(entry);
      position = positionOf(entry);
    } else rest.push(entry);
  }
  const all = mergeDeliveries([...effects, ...deliver(ready)]);
  if (rest.length === 0 && !more) {
    const dropped = state.held.some((entry) => entry.epoch !== position.epoch);
    if (!dropped) return { state: { phase: 'live', position, readId: state.readId }, effects: all };
  }
  const next = readAfter(position, rest, state.readId, 0);
  return { state: next.state, effects: [...all, ...next.effects] };
}

function onEpoch(state: RoomState, epoch: string, head: number): RoomStep {
  const { position } = state;
  // While waiting, the expected answer will contain the epoch, and the position must stay the
  // requested one.
  if (state.phase === 'waiting' || position === null || position.epoch === epoch) return stay(state);
  const knowsEpoch = state.phase === 'live' || (state.want.kind === 'after' && state.held.every(isOf(position.epoch)));
  // If an intermediate epoch was missed, it is unknown which entries survived it.
  if (!knowsEpoch) return readNewest(position, 'epoch', [], state.readId);
  const effects: RoomEffect[] = [{ do: 'rollback', epoch, head }];
  const survived: Position = { epoch, seq: Math.min(position.seq, head) };
  if (state.phase === 'live' && survived.seq === head) {
    return { state: { ...state, position: survived }, effects };
  }
  // A read in flight may return entries of either epoch, so repeat it.
  const next = readAfter(survived, [], state.readId, 0);
  return { state: next.state, effects: [...effects, ...next.effects] };
}

function readAfter(
  position: Position,
  held: readonly Entry[],
  lastReadId: number,
  stalledReads: number,
  overflowed = false,
): RoomStep {
  const readId = lastReadId + 1;
  const missing = missingBefore(held, position);
  return {
    state: { phase: 'backfilling', position, want: { kind: 'after' }, held, overflowed, readId, stalledReads },
    effects: [{ do: 'read-after', readId, position, missing, stalledReads }],
  };
}

function readNewest(position: Position, reason: GapReason, held: readonly Entry[], lastReadId: number): RoomStep {
  const readId = lastReadId + 1;
  const want: Want = { kind: 'newest', reason };
  return {
    state: { phase: 'backfilling', position, want, held, overflowed: false, readId, stalledReads: 0 },
    effects: [{ do: 'read-newest', readId }],
  };
}

const isOf =
  (epoch: string) =>
  (entry: Entry): boolean =>
    entry.epoch === epoch;

/** `readAt`: the entries were read when the log ended there. */
const deliver = (entries: readonly Entry[], readAt?: number): RoomEffect[] =>
  entries.length === 0 ? [] : [{ do: 'deliver', entries, ...(readAt === undefined ? {} : { readAt }) }];

/** Merges consecutive deliveries of entries in their original form. */
function mergeDeliveries(effects: RoomEffect[]): RoomEffect[] {
  const merged: RoomEffect[] = [];
  for (const effect of effects) {
    const last = merged.at(-1);
    if (effect.do === 'deliver' && last?.do === 'deliver' && effect.readAt === last.readAt) {
      merged[merged.length - 1] = { ...last, entries: [...last.entries, ...effect.entries] };
    } else merged.push(effect);
  }
  return merged;
}
