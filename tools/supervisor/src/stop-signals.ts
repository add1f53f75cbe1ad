/** When a signal means stop, when it means at once, and when it is an echo. */

/** npm forwards a terminal's signal to a program that has had it already; the echo comes within milliseconds. */
export const ECHO_MS = 1_000;

export type SignalMeaning = 'stop' | 'echo' | 'at once';

/** @param firstAtMs when the first one came, null when this is it */
export function readSignal(firstAtMs: number | null, nowMs: number): SignalMeaning {
  if (firstAtMs === null) return 'stop';
  return nowMs - firstAtMs > ECHO_MS ? 'at once' : 'echo';
}

/** Calls `stop` for the first signal, or when the channel to the parent is lost, and `endAtOnce` for a later one. */
export function onStopSignals(options: { stop: (reason: string) => void; endAtOnce: () => void }): void {
  let firstAtMs: number | null = null;
  const take = (reason: string, mayHurry: boolean) => {
    // The monotonic clock: nobody's correction of the time makes an echo into an order.
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
  process.on('disconnect', () => take('its starter is gone', false));
}
