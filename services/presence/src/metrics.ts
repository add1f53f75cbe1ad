/** Metrics. A label is never a room, a user or a node, so the number of series is limited. */
import { Counter, Histogram, type Registry } from 'prom-client';

export type PresenceMetrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    reports: new Counter({
      name: 'maru_presence_reports_total',
      help: 'Reports of gateways by result: ok, resync, stale, failed',
      labelNames: ['result'] as const,
      registers,
    }),
    ops: new Counter({
      name: 'maru_presence_ops_total',
      help: 'Operations in reports by kind; invalid ones are dropped',
      labelNames: ['kind'] as const,
      registers,
    }),
    reportSeconds: new Histogram({
      name: 'maru_presence_report_duration_seconds',
      help: 'Time to apply a report',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
      registers,
    }),
    diffs: new Counter({ name: 'maru_presence_diffs_total', help: 'Differences announced to rooms', registers }),
    syncs: new Counter({
      name: 'maru_presence_syncs_total',
      help: 'Full states begun by gateways by result: ok, superseded',
      labelNames: ['result'] as const,
      registers,
    }),
    leaseExpirations: new Counter({
      name: 'maru_presence_lease_expirations_total',
      help: 'Nodes declared dead because their lease ended',
      registers,
    }),
    sweptEntries: new Counter({
      name: 'maru_presence_swept_entries_total',
      help: 'Entries of ended epochs that were removed from rooms',
      registers,
    }),
    sweepSeconds: new Histogram({
      name: 'maru_presence_sweep_duration_seconds',
      help: 'Time to remove an ended epoch of a node',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15],
      registers,
    }),
    storeErrors: new Counter({
      name: 'maru_presence_store_errors_total',
      help: 'Failed calls to Redis by operation',
      labelNames: ['operation'] as const,
      registers,
    }),
    storeSeconds: new Histogram({
      name: 'maru_presence_store_duration_seconds',
      help: 'Time of a call to Redis',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
      registers,
    }),
    commitConflicts: new Counter({
      name: 'maru_presence_commit_conflicts_total',
      help: 'Room updates retried because another instance changed the same user',
      registers,
    }),
    requests: new Counter({
      name: 'maru_presence_requests_total',
      help: 'Requests by route and status class',
      labelNames: ['route', 'status'] as const,
      registers,
    }),
  };
}
