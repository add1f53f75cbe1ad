/**
 * Detects moments at which an open connection may be dead: the network came back, the page became
 * visible, or the device woke from sleep.
 */
import type { Scheduler } from './scheduler.ts';

export interface WakeOptions {
  scheduler: Scheduler;
  /** The network came back. */
  onOnline: () => void;
  /** The system reports that there is no network. It may be wrong. */
  onOffline: () => void;
  /** Time has passed in which this page or process did not run. */
  onWake: () => void;
}

/** Interval of clock comparisons. */
const LOOK_EVERY_MS = 10_000;
/** A timer this late, or clocks this far apart, mean sleep. A false alarm costs one probe. */
const SLEPT_MS = 10_000;

type Listening = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

const isListening = (value: unknown): value is Listening =>
  typeof value === 'object' && value !== null && 'addEventListener' in value && 'removeEventListener' in value;

/** Returns a function that stops watching. Outside browsers, only the clocks are compared. */
export function watchWake({ scheduler, onOnline, onOffline, onWake }: WakeOptions): () => void {
  const stops: Array<() => void> = [];
  const listen = (target: unknown, event: string, task: () => void) => {
    if (!isListening(target)) return;
    target.addEventListener(event, task);
    stops.push(() => target.removeEventListener(event, task));
  };
  const page = (globalThis as { document?: { visibilityState?: string } }).document;
  listen(globalThis, 'online', onOnline);
  listen(globalThis, 'offline', onOffline);
  listen(globalThis, 'pageshow', onWake);
  listen(page, 'resume', onWake);
  listen(page, 'visibilitychange', () => {
    if (page?.visibilityState === 'visible') onWake();
  });

  // On some systems the monotonic clock stops during sleep, and so do timers. Then only the wall
  // clock shows that time has passed. It is only a hint here.
  const clocks = () => ({ ranMs: scheduler.now(), wallMs: scheduler.wallNow() });
  let cancel = () => {};
  const look = () => {
    const before = clocks();
    cancel = scheduler.after(LOOK_EVERY_MS, () => {
      const after = clocks();
      const passedMs = Math.max(after.ranMs - before.ranMs, after.wallMs - before.wallMs);
      if (passedMs - LOOK_EVERY_MS >= SLEPT_MS) onWake();
      look();
    });
  };
  look();
  return () => {
    cancel();
    for (const stop of stops) stop();
  };
}
