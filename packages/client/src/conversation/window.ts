/** The shown part of the room: its place, and what it drops when it is full. Pure. */
import type { Entry, MessagesData } from '@maru/protocol/events';
import { type Draft, isInWindow, type Place, type Read, type RoomModel, type Target } from './model-state.ts';

const ascending = (seqs: number[]): number[] => seqs.sort((a, b) => a - b);

export const windowSeqs = (model: Pick<RoomModel, 'messages' | 'window'>): number[] =>
  ascending([...model.messages.keys()].filter((seq) => isInWindow(model, seq)));

/** The read that places the window. Null if it stays. */
export function placingRead({ window, target, focus }: RoomModel): Read | null {
  const aim = target ?? (window === null ? (focus ?? 'newest') : null);
  if (aim === null) return null;
  if (aim === 'newest') return { kind: 'newest' };
  if (typeof aim === 'number') return { kind: 'around', seq: aim };
  return 'at' in aim ? { kind: 'at', ts: aim.at } : { kind: 'around', seq: aim.after + 1 };
}

export const isPlacing = ({ kind }: Read): boolean => kind === 'newest' || kind === 'around' || kind === 'at';

export const sameRead = (one: Read | null, other: Read): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A message in the window needs no read. */
export function jump(model: RoomModel, to: Target): RoomModel {
  const isHere = to === 'newest' ? model.window?.to === null : typeof to === 'number' && isInWindow(model, to);
  if (to === 'newest') return { ...model, target: isHere ? null : to, place: null, focus: null };
  const place = placeHere(model, to);
  if (place === null) return { ...model, target: to };
  return { ...model, target: null, place, focus: place.seq };
}

/** Null if it is unknown whether the window contains the message. */
function placeHere(model: RoomModel, to: Exclude<Target, 'newest'>): Place | null {
  if (typeof to === 'number')
    return isInWindow(model, to) && model.messages.has(to) ? { seq: to, isLine: false } : null;
  if ('at' in to || !isInWindow(model, to.after + 1)) return null;
  const seq = windowSeqs(model).find((one) => one > to.after && model.messages.get(one)?.from.id !== model.ownId);
  return seq === undefined ? null : { seq, isLine: true };
}

/** Whether the server does not have the target of a jump. */
export function missesTarget(
  { target, recentAfter }: RoomModel,
  read: Read,
  { head, messages }: MessagesData,
): boolean {
  // An answer that is older than delivered entries does not know the messages since.
  if (read.kind !== 'around' || target !== read.seq || head < recentAfter) return false;
  return messages.every(({ seq }) => seq !== read.seq);
}

/** After an answer that places the window: the target of the jump, or the message after it. */
export function arrive(next: Draft, read: Read, messages: readonly Entry[]): void {
  const { target, ownId } = next;
  next.target = null;
  if (target === null || read.kind === 'newest') return;
  const isLine = typeof target === 'object' && 'after' in target;
  const found = messages.find(({ seq, ts, from }) =>
    read.kind === 'at' ? ts >= read.ts : read.kind === 'around' && seq >= read.seq && !(isLine && from.id === ownId),
  );
  const seq = (found ?? messages.at(-1))?.seq;
  next.place = seq === undefined ? null : { seq, isLine };
  next.focus = seq ?? null;
}

/**
 * Drops messages at one end. They are read again when the user returns to them. Messages next to
 * the reading position stay, so nothing on the screen disappears.
 */
export function limitWindow(model: RoomModel, dropped: 'oldest' | 'newest'): RoomModel {
  const { window, messages, focus, limits } = model;
  if (window === null || messages.size <= limits.max) return model;
  const seqs = windowSeqs(model);
  const excess = seqs.length - limits.max;
  if (excess <= 0) return model;
  const found = focus === null ? -1 : seqs.findIndex((seq) => seq >= focus);
  const at = focus === null && dropped === 'newest' ? 0 : found === -1 ? seqs.length : found;
  const wanted = dropped === 'newest' ? at + limits.after - limits.max : at - limits.before;
  const start = Math.max(0, Math.min(excess, wanted));
  const end = start + limits.max;
  const older = start > 0 ? { from: seqs[start] ?? window.from, hasOlder: true } : {};
  const newer = end < seqs.length ? { to: seqs[end - 1] ?? window.to } : {};
  return { ...model, window: { ...window, ...older, ...newer } };
}

/**
 * The user reads at the end. Drops messages far above the screen, so that scrolling far up leaves
 * none behind.
 */
export function rest(model: RoomModel, first: number): RoomModel {
  const { window, messages, limits } = model;
  if (window === null || window.to !== null || messages.size <= limits.before + limits.after) return model;
  const seqs = windowSeqs(model);
  const above = seqs.findIndex((seq) => seq >= first);
  const from = above <= limits.after ? undefined : seqs[above - limits.rest];
  return from === undefined ? model : { ...model, window: { ...window, from, hasOlder: true } };
}
