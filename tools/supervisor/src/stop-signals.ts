/** Decides whether a signal means "stop", "stop at once", or is an echo. */

/**
 * npm forwards a signal of the terminal to a program that has already received it. This echo
 * arrives within milliseconds.
 */
export const ECHO_MS = 1_000;

export type SignalMeaning = 'stop' | 'echo' | 'at once';

/** @param firstAtMs the time of the first signal, or null if this is the first */
export function readSignal(firstAtMs: number | null, nowMs: number): SignalMeaning {
  if (firstAtMs === null) return 'stop';
  return nowMs - firstAtMs > ECHO_MS ? 'at once' : 'echo';
}

/**
 * Calls `stop` for the first signal, or when the channel to the parent closes, and `endAtOnce` for
 * a later signal.
 */
export function onStopSignals(options: { stop: (reason: string) => void; endAtOnce: () => void }): void {
  let firstAtMs: number | null = null;
  const take = (reason: string, mayHurry: boolean) => {
    // A monotonic clock, so that a change of the system time cannot turn an echo into a command.
    const nowMs = performance.now();
    const meaning = readSignal(firstAtMs, nowMs);
    if (meaning === 'stop') {
      firstAtMs = nowMs;
      options.stop(reason);
    } else if (meaning === 'at once' && mayHurry) {
      options.endAtOnce();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => take(signal, true));
  process.on('disconnect', () => take('the parent is gone', false));
}
