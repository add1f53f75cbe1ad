/** What every service tells of its own process. */
import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * Every so many milliseconds the event loop is looked at. Each look wakes the process, also one that has nothing to do; what holds the loop up for
 * longer is seen all the same. No rarer, because what is measured is the time between two looks: an idle loop reads as this number, which
 * must stay well under the lag that the alert MaruEventLoopLag wakes an operator for (0.2 s), and of few looks the 99th percentile is the worst.
 */
const LOOP_LOOK_MS = 50;

export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
}
