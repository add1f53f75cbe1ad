/**
 * Closes after a pause of the process (SIGSTOP, a suspended machine, a blocked event loop), until
 * the node has checked what it missed. A paused node does not know which users were revoked, and
 * must not serve them.
 *
 * After a pause, socket callbacks run before timers. Therefore all code that serves a client calls
 * `isOpen`, which compares the time with that of the last tick.
 */
import type { Logger } from '@maru/service-kit';
import type { Ticker } from './ticker.ts';

/** After this time without a tick, the process was paused. Ticks come every half second. */
export const PAUSE_MS = 2_000;
/** The gate opens after this time even if the check fails. Then the store is down. */
const CLOSED_MAX_MS = 5_000;
const RETRY_MS = 100;

export interface PauseGate {
  /** Cheap. False from the first call after a pause until the check succeeded. */
  isOpen(): boolean;
  /** Resolves when the gate is open. Callers continue in the order of their calls. */
  whenOpen(): Promise<void>;
  /** Runs now if the gate is open; otherwise later, in the order of the calls. */
  pass(run: () => void): void;
  /** Called each time the gate opens, before those that wait continue. */
  onOpened(callback: () => void): void;
  start(ticker: Ticker): void;
  stop(): void;
}

export function createPauseGate(options: {
  /** MUST NOT resolve with information from before the call. */
  check: () => Promise<void>;
  tickMs: number;
  logger: Logger;
  now: () => number;
}): PauseGate {
  const { check, logger, now } = options;
  const listeners: Array<() => void> = [];
  let tickedAtMs = Number.POSITIVE_INFINITY;
  let opening: Promise<void> | undefined;
  let leaveTicker: (() => void) | undefined;

  const open = async (pausedMs: number): Promise<void> => {
    let giveUpAtMs = now() + CLOSED_MAX_MS;
    for (let isChecked = false; !isChecked; ) {
      const startedAtMs = now();
      isChecked = await check().then(
        () => true,
        () => false,
      );
      // The process was paused again, so the answer may be outdated.
      if (now() - startedAtMs > PAUSE_MS) {
        isChecked = false;
        giveUpAtMs = now() + CLOSED_MAX_MS;
      } else if (!isChecked && now() >= giveUpAtMs) break;
      else if (!isChecked) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    opening = undefined;
    logger.info({ pausedMs: Math.round(pausedMs) }, 'the process was paused');
    for (const listener of listeners) listener();
  };

  const isOpen = (): boolean => {
    const nowMs = now();
    if (nowMs - tickedAtMs > PAUSE_MS) {
      const pausedMs = nowMs - tickedAtMs;
      tickedAtMs = nowMs;
      opening ??= open(pausedMs);
    }
    return opening === undefined;
  };

  const whenOpen = async (): Promise<void> => {
    while (!isOpen()) await opening;
  };

  return {
    isOpen,
    whenOpen,
    pass(run) {
      if (isOpen()) run();
      else void whenOpen().then(run);
    },
    onOpened: (callback) => void listeners.push(callback),
    start(ticker) {
      tickedAtMs = now();
      leaveTicker = ticker.join(options.tickMs, () => {
        isOpen();
        tickedAtMs = now();
      });
    },
    stop() {
      leaveTicker?.();
      tickedAtMs = Number.POSITIVE_INFINITY;
    },
  };
}
