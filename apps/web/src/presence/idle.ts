/**
 * Whether this device is idle: no input in any tab of this page. Input is noticed every few
 * seconds at most, and there is one timer, which waits for the end of the time.
 */
import type { Scheduler } from '@maru/client';

/** Input sooner after the last one changes nothing. */
const INPUT_EVERY_MS = 5_000;
const INPUT_EVENTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

/** Joins the tabs of the page: what one posts, the others get. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

export interface IdleOptions {
  scheduler: Pick<Scheduler, 'now' | 'after'>;
  target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  /** Null where the browser has none: then each tab is on its own. */
  channel: Channel | null;
  onChange: () => void;
  /** Called for each input that is noticed, after `onChange`. */
  onInput: () => void;
}

export interface Idle {
  isIdle(): boolean;
  /** Null: never. */
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
