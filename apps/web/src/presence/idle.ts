/**
 * Detects whether this device is idle: no input in any tab of this page. It notices input every few
 * seconds at most, and uses one timer.
 */
import type { Scheduler } from '@maru/client';

/** Input within this time of the last input is ignored. */
const INPUT_EVERY_MS = 5_000;
const INPUT_EVENTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

/** Connects the tabs of the page. A message of one tab reaches all others. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

export interface IdleOptions {
  scheduler: Pick<Scheduler, 'now' | 'after'>;
  target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  /** Null if the browser has no BroadcastChannel. Then each tab decides alone. */
  channel: Channel | null;
  onChange: () => void;
  /** Called for each noticed input, after `onChange`. */
  onInput: () => void;
}

export interface Idle {
  isIdle(): boolean;
  /** Null switches idleness off. */
  setTimeout(afterMs: number | null): void;
  close(): void;
}

export function watchIdle({ scheduler, target, channel, onChange, onInput }: IdleOptions): Idle {
  let afterMs: number | null = null;
  let inputAtMs = scheduler.now();
  let isIdle = false;
  let cancel = () => {};

  const set = (next: boolean) => {
    if (next === isIdle) return;
    isIdle = next;
    onChange();
  };
  const wait = () => {
    cancel();
    if (afterMs === null || isIdle) return;
    const leftMs = inputAtMs + afterMs - scheduler.now();
    if (leftMs > 0) cancel = scheduler.after(leftMs, wait);
    else set(true);
  };
  const note = () => {
    inputAtMs = scheduler.now();
    if (!isIdle) return;
    set(false);
    wait();
  };
  const onEvent = () => {
    if (!isIdle && scheduler.now() - inputAtMs < INPUT_EVERY_MS) return;
    note();
    channel?.postMessage('input');
    onInput();
  };

  for (const name of INPUT_EVENTS) target.addEventListener(name, onEvent, { passive: true, capture: true });
  if (channel !== null) channel.onmessage = note;
  return {
    isIdle: () => isIdle,
    setTimeout(next) {
      if (next === afterMs) return;
      afterMs = next;
      if (next === null) set(false);
      wait();
    },
    close() {
      cancel();
      channel?.close();
      for (const name of INPUT_EVENTS) target.removeEventListener(name, onEvent, { capture: true });
    },
  };
}
