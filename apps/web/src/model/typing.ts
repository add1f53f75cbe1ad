/**
 * Who is shown as typing, and when this client sends typing events. Typing events may be lost, so
 * everything expires.
 */
import type { Scheduler } from '@maru/client';
import type { TypingSignal } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';

/**
 * A typing event expires after this time. It is longer than the interval at which clients repeat
 * the event.
 */
export const TYPING_SHOWN_MS = LIMITS.typingTimeoutMs;
/**
 * A user who stops typing is shown a little longer. Another user often starts in this time, so the
 * line changes less.
 */
const TYPING_STOPPED_MS = 1_000;
/** More typists are ignored. The line shows "several" for far fewer. */
const TYPISTS_MAX = 20;

export interface Typist {
  id: string;
  name: string;
  /** The root of the thread; null for the room. */
  thread: number | null;
  untilMs: number;
}

export type Typists = readonly Typist[];

export function receiveTyping(typists: Typists, { user, active, thread }: TypingSignal, nowMs: number): Typists {
  const live = typists.filter(({ untilMs }) => untilMs > nowMs);
  if (!active) return live.map((one) => (one.id === user.id ? stoppedAt(one, nowMs) : one));
  const others = live.filter(({ id }) => id !== user.id);
  if (others.length >= TYPISTS_MAX) return others;
  return [...others, { id: user.id, name: user.name, thread: thread ?? null, untilMs: nowMs + TYPING_SHOWN_MS }];
}

const stoppedAt = (typist: Typist, nowMs: number): Typist => ({
  ...typist,
  untilMs: Math.min(typist.untilMs, nowMs + TYPING_STOPPED_MS),
});

/** A user whose message arrived has stopped typing. */
export const stopTyping = (typists: Typists, userIds: ReadonlySet<string>): Typists =>
  typists.some(({ id }) => userIds.has(id)) ? typists.filter(({ id }) => !userIds.has(id)) : typists;

export const expireTyping = (typists: Typists, nowMs: number): Typists =>
  typists.some(({ untilMs }) => untilMs <= nowMs) ? typists.filter(({ untilMs }) => untilMs > nowMs) : typists;

/** Maximum names in the typing line, and the minimum interval between its changes. */
const NAMED_MAX = 3;
export const TYPING_STEADY_MS = 5_000;

/** Identifies the content of the line. The order in which users started to type does not matter. */
export const namedIds = (typists: Typists): string =>
  typists.length > NAMED_MAX ? 'many' : JSON.stringify(typists.map(({ id }) => id).sort());

/** Whether the same people type in the same places. */
export const areSameTypists = (one: Typists, other: Typists): boolean =>
  one.length === other.length &&
  one.every(({ id, thread }) => other.some((it) => it.id === id && it.thread === thread));

/** Minimum interval between typing events. */
export const TYPING_SEND_INTERVAL_MS = 2_000;
/** Typing ends after this time without a key. */
export const TYPING_IDLE_MS = 4_000;

export interface TypingSender {
  /** A key changed the text. */
  onInput(isBlank: boolean): void;
  /** Call it when the message is sent or emptied, or the room is left. */
  stop(): void;
}

export function createTypingSender(scheduler: Scheduler, send: (active: boolean) => void): TypingSender {
  let sentAtMs: number | null = null;
  let cancelIdle = () => {};

  const stop = () => {
    cancelIdle();
    if (sentAtMs === null) return;
    sentAtMs = null;
    send(false);
  };

  return {
    onInput(isBlank) {
      if (isBlank) return stop();
      const now = scheduler.now();
      if (sentAtMs === null || now - sentAtMs >= TYPING_SEND_INTERVAL_MS) {
        sentAtMs = now;
        send(true);
      }
      cancelIdle();
      cancelIdle = scheduler.after(TYPING_IDLE_MS, stop);
    },
    stop,
  };
}
