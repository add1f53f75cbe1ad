/** Composition root of the archiver: starts and stops its parts. All state is external. */
import { randomBytes } from 'node:crypto';
import { migrateArchive, openArchive } from '@maru/archive-db';
import { openRedis } from '@maru/redis-store';
import { type Logger, type Loop, type OpsServer, type Service, startLoop, startOpsServer } from '@maru/service-kit';
import type { Registry } from 'prom-client';
import { createRoomArchive } from './archive/room-archive.ts';
import { startWorker } from './copy/worker.ts';
import { createMetrics } from './metrics.ts';
import { type Pulse, startPulse } from './pulse.ts';
import { startRetention } from './retention.ts';
import { startScan } from './scan.ts';
import { type ArchiverSettings, BOUNDS } from './settings.ts';
import { createRoomQueue } from './store/room-queue.ts';
import { createRoomStore } from './store/room-store.ts';

export interface Archiver extends Service {
  /**
   * Resolves when the ops port listens. Work starts when the tables have the form that this release
   * needs.
   */
  start(): Promise<{ opsPort: number }>;
}

export interface ArchiverDeps {
  settings: ArchiverSettings;
  logger: Logger;
  registry: Registry;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** Connections for scan, retention, pulse and jobs. */
const OTHER_CONNECTIONS = 2;
const MIGRATE_AGAIN_MS = 1_000;
const REDIS_WAIT_MS = 2_000;

export function createArchiver(deps: ArchiverDeps): Archiver {
  const { settings, logger, registry } = deps;
  const now = deps.now ?? (() => performance.now());
  const metrics = createMetrics(registry);
  const source = openRedis(settings.redisUrl, { node: settings.node, logger });
  const redis = source.open('archiver', settings.storeDeadlineMs);
  const archive = openArchive({
    url: settings.postgresUrl,
    poolMax: settings.workers + OTHER_CONNECTIONS,
    deadlineMs: settings.writeDeadlineMs,
    name: 'maru-archiver',
    onError: (error) => logger.debug({ reason: error.message }, 'an idle connection to PostgreSQL ended'),
  });
  const queue = createRoomQueue(redis, { claimMs: BOUNDS.claimMs });
  const store = createRoomStore(redis);
  const rooms = createRoomArchive(archive, { deadlineMs: settings.writeDeadlineMs });
  const parts = { archive: rooms, store, queue, metrics, logger, now };
  const process = `${settings.node}-${randomBytes(6).toString('hex')}`;
  let ops: OpsServer | undefined;
  let migration: Loop | undefined;
  let pulse: Pulse | undefined;
  let running: Loop[] = [];
  let isMigrated = false;
  let stopped: Promise<void> | undefined;

  const startWork = () => {
    isMigrated = true;
    running.push(
      ...Array.from({ length: settings.workers }, (_, index) =>
        startWorker({ ...parts, worker: `${process}-${index}` }),
      ),
      startScan({
        ...parts,
        worker: process,
        redis,
        periodMs: settings.scanPeriodMs,
        keysPerSecond: settings.scanKeysPerSecond,
      }),
      startRetention({
        ...{ archive, store, metrics, logger, deadlineMs: settings.writeDeadlineMs },
        days: settings.retentionDays,
        daysByRoom: settings.retentionRooms,
        periodMs: settings.retentionPeriodMs,
      }),
      // Work for users, such as erasures, has a separate loop: see jobs/.
    );
  };

  const migrate = async () => {
    const log = (message: string) => logger.info({ message }, 'a migration of the archive');
    await migrateArchive({ url: settings.postgresUrl, log });
    if (stopped !== undefined) return;
    void migration?.stop();
    startWork();
  };

  const end = async () => {
    const loops = running;
    running = [];
    await Promise.all(loops.map((loop) => loop.stop()));
    await pulse?.stop();
    await ops?.close();
    await Promise.all([redis.close(), archive.close()]);
    source.close();
  };

  const stop = () => {
    stopped ??= end();
    return stopped;
  };

  return {
    async start() {
      if (!(await redis.untilReady(REDIS_WAIT_MS))) logger.warn('Redis is not available; starting without it');
      pulse = startPulse({ archive, queue, metrics, logger, now });
      const isReady = () => stopped === undefined && isMigrated && pulse?.isAlive === true;
      ops = await startOpsServer({ host: settings.host, port: settings.opsPort, registry, isReady });
      migration = startLoop({
        pauseMs: MIGRATE_AGAIN_MS,
        work: migrate,
        onError: (error, isFirst) => {
          if (isFirst) logger.error({ err: error }, 'the tables of the archive are not ready; trying again');
        },
      });
      running.push(migration);
      logger.info({ opsPort: ops.port }, 'listening');
      return { opsPort: ops.port };
    },
    drain: stop,
    stop,
  };
}
