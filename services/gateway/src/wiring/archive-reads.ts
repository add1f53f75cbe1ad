/** The PostgreSQL connections for old pages and searches, and the logs that use them. */
import { openArchive, openReplicas, type Replicas } from '@maru/archive-db';
import type { Logger } from '@maru/service-kit';
import { createPostgresHistory } from '../archive/postgres-history.ts';
import type { GatewayConfig } from '../config.ts';
import { withArchivedPositions } from '../inbox/archived-positions.ts';
import type { HotReadState, ReadState } from '../inbox/read-state.ts';
import { createArchivedLog } from '../log/archived-log.ts';
import type { HotLog } from '../log/hot-log.ts';
import type { RoomLog } from '../log/room-log.ts';

export type ArchiveReads = Pick<Replicas, 'read' | 'close'>;

/** Undefined if this cluster has no archive. Connects at the first read. */
export function openArchiveReads({
  config,
  logger,
}: {
  config: GatewayConfig;
  logger: Logger;
}): ArchiveReads | undefined {
  if (config.postgresUrl === undefined) return undefined;
  const options = {
    poolMax: config.postgresPoolMax,
    deadlineMs: config.archiveDeadlineMs,
    name: `maru-gateway ${config.node}`,
    onError: (error: Error) => logger.debug({ reason: String(error) }, 'a connection to the archive ended'),
  };
  const primary = openArchive({ ...options, url: config.postgresUrl });
  const replicas = openReplicas({ ...options, primary, replicaUrl: config.postgresReplicaUrl });
  return {
    read: replicas.read,
    close: async () => {
      await Promise.all([replicas.close(), primary.close()]);
    },
  };
}

/** Both reach back to the first entry of each room, if this cluster has an archive. */
export function withArchive(
  { log, readState }: { log: HotLog; readState: HotReadState },
  options: {
    config: GatewayConfig;
    archive: ArchiveReads | undefined;
    onCall: (call: 'archive', outcome: string, seconds: number) => void;
    now: () => number;
  },
): { log: RoomLog; readState: ReadState } {
  const { config, archive, onCall, now } = options;
  if (archive === undefined) return { log, readState };
  const history = createPostgresHistory({
    archive,
    onCall: (outcome, seconds) => onCall('archive', outcome, seconds),
    now,
  });
  const reads = { history, deadlineMs: config.archiveDeadlineMs, now };
  return { log: createArchivedLog({ log, ...reads }), readState: withArchivedPositions(readState, reads) };
}
