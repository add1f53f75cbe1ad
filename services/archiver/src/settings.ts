/** Settings of the service. */
import { asRedisAddress } from '@maru/redis-store';
import {
  asInteger,
  asList,
  asNodeName,
  asOneOf,
  asText,
  asUrl,
  type ConfigOf,
  DEVELOPMENT_FIELD,
  LOG_LEVELS,
} from '@maru/service-kit';

const DAYS_MAX = 36_500;

/** `room=days,…` */
const asDaysByRoom = (raw: string): ReadonlyMap<string, number> =>
  new Map(
    asList(raw).map((item) => {
      const [, room, days] = /^([a-z0-9][a-z0-9._-]{0,63})=(\d{1,5})$/.exec(item) ?? [];
      if (room === undefined || Number(days) > DAYS_MAX) throw new Error('must be a list like lobby=30,help=365');
      return [room, Number(days)];
    }),
  );

export const settingFields = {
  node: { env: 'MARU_NODE', doc: 'name of this process, for logs and claims', parse: asNodeName },
  host: { env: 'MARU_HOST', doc: 'address to listen on', parse: asText, fallback: '127.0.0.1' },
  opsPort: { env: 'MARU_OPS_PORT', doc: 'port for health and metrics', parse: asInteger(0, 65_535) },
  redisUrl: {
    env: 'MARU_REDIS_URL',
    doc: 'the Redis of the gateways, with the account archiver',
    parse: asRedisAddress,
    secret: true,
  },
  postgresUrl: {
    env: 'MARU_POSTGRES_URL',
    doc: 'PostgreSQL 14 or later, the primary: postgres://…; its user owns the tables',
    parse: asUrl('postgres', 'postgresql'),
    secret: true,
  },
  development: DEVELOPMENT_FIELD,
  logLevel: { env: 'MARU_LOG_LEVEL', doc: 'how much to log', parse: asOneOf(...LOG_LEVELS), fallback: 'info' as const },
  storeDeadlineMs: {
    env: 'MARU_STORE_DEADLINE_MS',
    doc: 'deadline of a call to Redis',
    parse: asInteger(50, 10_000),
    fallback: 2_000,
  },
  writeDeadlineMs: {
    env: 'MARU_ARCHIVER_DEADLINE_MS',
    doc: 'deadline of a transaction in PostgreSQL',
    parse: asInteger(500, 20_000),
    fallback: 10_000,
  },
  workers: {
    env: 'MARU_ARCHIVER_WORKERS',
    doc: 'transactions of this archiver at once; it has two more connections for other work',
    parse: asInteger(1, 32),
    fallback: 2,
  },
  scanPeriodMs: {
    env: 'MARU_ARCHIVER_SCAN_PERIOD_MS',
    doc: 'pause between two scans of all rooms, which find what hints lost',
    parse: asInteger(100, 86_400_000),
    fallback: 60_000,
  },
  scanKeysPerSecond: {
    env: 'MARU_ARCHIVER_SCAN_KEYS_PER_SECOND',
    doc: 'keys of Redis that a scan looks at per second; a room has about six',
    parse: asInteger(100, 1_000_000),
    fallback: 10_000,
  },
  retentionDays: {
    env: 'MARU_ARCHIVE_RETENTION_DAYS',
    doc: 'entries older than this many days are removed from the archive; 0: never',
    parse: asInteger(0, DAYS_MAX),
    fallback: 0,
  },
  retentionRooms: {
    env: 'MARU_ARCHIVE_RETENTION_ROOMS',
    doc: 'the same for single rooms, comma-separated: room=days',
    parse: asDaysByRoom,
    fallback: undefined,
  },
  retentionPeriodMs: {
    env: 'MARU_ARCHIVE_RETENTION_PERIOD_MS',
    doc: 'how often old entries are removed from the archive',
    parse: asInteger(100, 86_400_000),
    fallback: 3_600_000,
  },
} as const;

export type ArchiverSettings = ConfigOf<typeof settingFields>;

/** Fixed limits. */
export const BOUNDS = {
  /** Claimed rooms return to the queue after this time, in case the archiver died. */
  claimMs: 30_000,
  /** Maximum rooms that a worker has claimed. */
  roomsPerWorkerMax: 64,
  /** Maximum entries of one room in a transaction. */
  batchEntriesMax: 1_000,
  batchBytesMax: 1_048_576,
  /** A transaction with this many entries from several rooms is full. */
  transactionEntriesMax: 2_000,
  transactionBytesMax: 2_097_152,
  /** Rooms to read concurrently. They use at most 8 × batchBytesMax of memory. */
  readConcurrency: 8,
  /** Batches of a room until rooms that have waited longer come first. */
  batchesInARowMax: 16,
  /** Pause of a worker that found nothing. Each check costs Redis a script call. */
  idlePauseMs: 1_000,
  /** A room that PostgreSQL refuses, or whose batch takes too long, waits for this time. */
  refusedPauseMs: 30_000,
  /** If Redis and PostgreSQL do not answer for this long, the service is not ready. */
  readyWithinMs: 10_000,
  pulseMs: 2_000,
  /** Rows that one transaction of the retention or of a deletion removes. */
  removedRowsMax: 2_000,
} as const;
