/** Metrics. A label is never a room, a user or a node, so the number of series is limited. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type ArchiverMetrics = ReturnType<typeof createMetrics>;

/** Parts of the service that repeat their work. */
export const PARTS = ['pulse', 'copy', 'scan', 'retention'] as const;
export type Part = (typeof PARTS)[number];

export function createMetrics(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const failures = new Counter({
    name: 'maru_archiver_failures_total',
    help: 'Failed rounds of work, by part of the service',
    labelNames: ['part'] as const,
    registers,
  });
  for (const part of PARTS) failures.inc({ part }, 0);
  return {
    failures,
    entries: counter('maru_archiver_entries_total', 'Entries written to PostgreSQL'),
    transactionSeconds: new Histogram({
      name: 'maru_archiver_transaction_duration_seconds',
      help: 'Time of a transaction that writes entries of one or more rooms',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    lag: gauge('maru_archiver_lag_seconds', 'Time since the oldest entry or hint that waits for the archive'),
    waitingRooms: gauge('maru_archiver_waiting_rooms', 'Rooms with entries that wait for the archive'),
    behindEntries: gauge(
      'maru_archiver_behind_entries',
      'Entries that the archive lacked at the last scan of all rooms',
    ),
    scans: counter('maru_archiver_scans_total', 'Finished scans of all rooms'),
    foundRooms: counter('maru_archiver_found_rooms_total', 'Rooms that a scan found to differ from the archive'),
    gapEntries: counter(
      'maru_archiver_gap_entries_total',
      'Entries that neither the hot log nor the archive has, because an older copy of the archive was restored',
    ),
    rollbacks: counter('maru_archiver_rollbacks_total', 'Rooms whose archive followed a rollback of the hot log'),
    setAside: counter('maru_archiver_set_aside_entries_total', 'Entries that a rollback set aside'),
    staleRooms: counter('maru_archiver_stale_rooms_total', 'Looks at rooms whose hot log is older than the archive'),
    refusedRooms: counter(
      'maru_archiver_refused_rooms_total',
      'Batches of a single room that PostgreSQL refused, or that took too long',
    ),
    deletedRooms: counter('maru_archiver_deleted_rooms_total', 'Deleted rooms that left the archive'),
    expiredEntries: counter('maru_archiver_expired_entries_total', 'Entries that the retention removed'),
    postgresConnections: new Gauge({
      name: 'maru_archiver_postgres_connections',
      help: 'Open connections to PostgreSQL, and calls that wait for one',
      labelNames: ['state'] as const,
      registers,
    }),
  };
}
