/** Composition root of the presence service. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openRedis } from '@maru/redis-store';
import { type Logger, startOpsServer } from '@maru/service-kit';
import type { Registry } from 'prom-client';
import { createHttp } from './http.ts';
import { createMetrics } from './metrics.ts';
import { createReports } from './reports.ts';
import { startRoomWorker } from './room-worker.ts';
import { createRooms } from './rooms.ts';
import { BOUNDS, type PresenceSettings } from './settings.ts';
import { createPresenceStore } from './store/presence-store.ts';
import { createScriptRunner } from './store/script-runner.ts';
import { startSweeper } from './sweeper.ts';

export interface Presence {
  /** Resolves when both ports listen. Requests fail with `unavailable` until Redis is available. */
  start(): Promise<{ port: number; opsPort: number }>;
  /** Unready, then finishes requests and work, then closes Redis. All state is in Redis. */
  drain(): Promise<void>;
  /** The same, but aborts requests. */
  stop(): Promise<void>;
}

export interface PresenceDeps {
  settings: PresenceSettings;
  logger: Logger;
  registry: Registry;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/**
 * Redis answers at least at every claim of due rooms. After this silence the service is not ready.
 */
const READY_WITHIN_MS = 3_000;
const REDIS_WAIT_MS = 2_000;
const DRAIN_REQUESTS_MS = 3_000;

export function createPresence(deps: PresenceDeps): Presence {
  const { settings, logger, registry } = deps;
  const now = deps.now ?? (() => performance.now());
  const metrics = createMetrics(registry);
  const source = openRedis(settings.redisUrl, { node: settings.node, logger });
  const redis = source.open('presence', settings.storeDeadlineMs);
  const runner = createScriptRunner({ store: redis, metrics, now });
  // Twice the deadline of a report: a late report must find the stamp of the report that overtook
  // it.
  const forgetMs = Math.max(settings.leaveGraceMs, 2 * BOUNDS.reportBudgetMs);
  const horizonMs = Math.max(forgetMs, settings.leaseMs, BOUNDS.claimMs);
  const store = createPresenceStore(runner, { ...settings, horizonMs });
  const rooms = createRooms({ store, metrics, timing: { graceMs: settings.leaveGraceMs, forgetMs } });

  let server: Server | undefined;
  let running: { close: () => Promise<void> } | undefined;
  let leaving = false;
  let ended: Promise<void> | undefined;

  const isReady = () => !leaving && server?.listening === true && now() - runner.health.lastOkAt < READY_WITHIN_MS;

  const end = async (requestsMs: number) => {
    leaving = true;
    if (server !== undefined) await closeServer(server, requestsMs);
    await running?.close();
    await redis.close();
    source.close();
  };

  return {
    async start() {
      if (!(await redis.untilReady(REDIS_WAIT_MS))) logger.warn('Redis is not available; starting without it');
      const worker = startRoomWorker({ store, rooms, metrics, logger });
      const { sweepMs, sweepHoldMs: holdMs } = settings;
      const sweeper = startSweeper({ store, rooms, metrics, logger, sweepMs, holdMs, now });
      const reports = createReports({ store, rooms, metrics, logger, onCommit: sweeper.sweepNow });
      const app = createHttp({
        secret: settings.internalSecret,
        store,
        reports,
        onDeparture: sweeper.sweepNow,
        metrics,
        logger,
      });
      server = createServer(app);
      // Longer than clients keep an idle connection, so that no request meets a closing connection.
      server.keepAliveTimeout = 30_000;
      server.requestTimeout = 10_000;
      const ops = await startOpsServer({ host: settings.host, port: settings.opsPort, registry, isReady });
      running = {
        close: async () => {
          await Promise.all([worker.stop(), sweeper.stop()]);
          await ops.close();
        },
      };
      const port = await listen(server, settings.listenPort, settings.host);
      logger.info({ port, opsPort: ops.port }, 'listening');
      return { port, opsPort: ops.port };
    },
    drain() {
      ended ??= end(DRAIN_REQUESTS_MS);
      return ended;
    },
    stop() {
      // This also ends a running drain, which waits for connections.
      server?.closeAllConnections();
      ended ??= end(0);
      return ended;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function closeServer(server: Server, requestsMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), requestsMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
