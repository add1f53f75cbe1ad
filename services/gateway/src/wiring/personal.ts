/** Exports and erasures of a user's content. Erasures run in the background. */
import { createJobs, openArchive } from '@maru/archive-db';
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import type { GatewayConfig } from '../config.ts';
import type { RoomLog } from '../log/room-log.ts';
import { eraseUser } from '../personal/erase-user.ts';
import { createErasureWorker } from '../personal/erasure-worker.ts';
import { createLeaveRooms } from '../personal/leave-rooms.ts';
import { createMyData, type MyData, myDataWithoutArchive } from '../personal/my-data.ts';
import { isArchived } from '../personal/unarchived.ts';
import type { CarryOut } from '../rooms/acts.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import type { Store } from './store.ts';

/** Separate connections, so that exports cannot delay old pages and searches. */
const POOL_MAX = 2;

export interface Personal {
  myData: MyData;
  start(ticker: Ticker): void;
  stop(): Promise<void>;
}

export function createPersonal(options: {
  config: GatewayConfig;
  logger: Logger;
  store: Store;
  log: RoomLog;
  carryOut: CarryOut;
  directory: Pick<RoomDirectory, 'delete'>;
}): Personal {
  const { config, logger, store, log, carryOut, directory } = options;
  const { roomList, health, audit } = store;
  if (config.postgresUrl === undefined) return { myData: myDataWithoutArchive(), start() {}, stop: async () => {} };
  const redis = store.connections.read;
  const archive = openArchive({
    url: config.postgresUrl,
    poolMax: POOL_MAX,
    deadlineMs: config.archiveDeadlineMs,
    name: `maru-personal ${config.node}`,
    onError: (error) => logger.debug({ reason: String(error) }, 'a connection to the archive ended'),
  });
  const jobs = createJobs(archive);
  const deps = {
    archive,
    change: log.change,
    isArchived: (isSought: Parameters<typeof isArchived>[1]) => isArchived(redis, isSought),
    leaveRooms: createLeaveRooms({ store: redis, roomList, carryOut, deleteRoom: directory.delete }),
  };
  const worker = createErasureWorker({
    ...{ node: config.node, jobs, logger },
    erase: (job, control) => eraseUser(deps, job, control),
  });
  return {
    myData: createMyData({
      ...{ archive, jobs, store: redis, storeNow: health.now },
      onErasure(userId) {
        audit.record({ action: 'user.erase', by: userId, user: userId });
        worker.wake();
      },
    }),
    start: worker.start,
    async stop() {
      await worker.stop();
      await archive.close();
    },
  };
}
