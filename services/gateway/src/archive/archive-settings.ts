/** Settings of the archive. Without a PostgreSQL address, there is no archive. */
import { asInteger, asUrl } from '@maru/service-kit';

const asPostgresUrl = asUrl('postgres', 'postgresql');

export const ARCHIVE_FIELDS = {
  postgresUrl: {
    env: 'MARU_POSTGRES_URL',
    doc: 'PostgreSQL 14 or later with the archive: postgres://…; none: no archive, and no search',
    parse: asPostgresUrl,
    fallback: undefined,
    secret: true,
  },
  postgresReplicaUrl: {
    env: 'MARU_POSTGRES_REPLICA_URL',
    doc: 'a replica of it, which then answers reads of old pages and searches; none: the primary does',
    parse: asPostgresUrl,
    fallback: undefined,
    secret: true,
  },
  postgresPoolMax: {
    env: 'MARU_POSTGRES_POOL_MAX',
    doc: 'connections of this gateway to PostgreSQL, and as many to its replica; exports and erasures use two more',
    parse: asInteger(1, 200),
    fallback: 8,
  },
  archiveDeadlineMs: {
    env: 'MARU_ARCHIVE_DEADLINE_MS',
    doc: 'a read of an old page or a search that takes longer fails',
    parse: asInteger(100, 30_000),
    fallback: 2_000,
  },
} as const;
