/** Typing, both ways: who is seen to type, and when we say that we do. Signals may be lost, so everything runs out by itself. */
import type { Scheduler } from '@maru/client';
import type { TypingSignal } from '@maru/protocol/events';

/** A signal counts so long. Longer than the pause between two of someone who goes on typing. */
export const TYPING_SHOWN_MS = 6_000;
/** Names beyond this number are not worth keeping: the line says "several". */
const TYPISTS_MAX = 20;

export interface Typist {
  id: string;
  name: string;
  untilMs: number;
}

export type Typists = readonly Typist[];

export function hearTyping(typists: Typists, { user, active }: TypingSignal, nowMs: number): Typists {
  const others = typists.filter(({ id, untilMs }) => id !== user.id && untilMs > nowMs);
  if (!active || others.length >= TYPISTS_MAX) return others;
  return [...others, { id: user.id, name: user.name, untilMs: nowMs + TYPING_SHOWN_MS }];
}

/** Whose message has come is done with it. */
export const stopTyping = (typists: Typists, userIds: ReadonlySet<string>): Typists =>
  typists.some(({ id }) => userIds.has(id)) ? typists.filter(({ id }) => !userIds.has(id)) : typists;

export const expireTyping = (typists: Typists, nowMs: number): Typists =>
  typists.some(({ untilMs }) => untilMs <= nowMs) ? typists.filter(({ untilMs }) => untilMs > nowMs) : typists;

/** While someone types, it is told at most so often; */
export const TYPING_SEND_INTERVAL_MS = 2_000;
/** and after so long without a key it is over. */
export const TYPING_IDLE_MS = 4_000;

export interface TypingSender {
  /** A key changed the text. */
  onInput(isBlank: boolean): void;
  /** Sent, left or emptied: nothing is being typed any more. */
  stop(): void;
}

export function createTypingSender(scheduler: Scheduler, send: (active: boolean) => void): TypingSender {
  let toldAtMs: number | null = null;
  let cancelIdle = () => {};

  const stop = () => {
    cancelIdle();
    if (toldAtMs === null) return;
    toldAtMs = null;
    send(false);
  };

  return {
    onInput(isBlank) {
      if (isBlank) return stop();
      const now = scheduler.now();
      if (toldAtMs === null || now - toldAtMs >= TYPING_SEND_INTERVAL_MS) {
        toldAtMs = now;
        send(true);
      }
      cancelIdle();
      cancelIdle = scheduler.after(TYPING_IDLE_MS, stop);
    },
    stop,
  };
}
