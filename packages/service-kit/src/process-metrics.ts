/** Metrics of the process, for every service. */
import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * Interval of event loop samples. Each sample wakes the process, even an idle one, so the interval
 * is not shorter. With fewer samples, the 99th percentile would be the maximum. The metric is the
 * time between two samples: an idle loop reads as this value, and the threshold of the alert
 * MaruEventLoopLag (0.25 s) includes it.
 */
const LOOP_SAMPLE_MS = 100;

export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
}
