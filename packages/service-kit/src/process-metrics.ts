/** What every service tells of its own process. */
import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * Every so many milliseconds the event loop is looked at. Each look wakes the process, also one that has nothing to do; what holds the loop up for
 * longer is seen all the same. What is measured is the time between two looks, so an idle loop reads as this number, and the alert
 * MaruEventLoopLag (0.25 s) counts from it. No rarer: of few looks the 99th percentile is the worst.
 */
const LOOP_LOOK_MS = 100;

export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
}
