/** The gateway's client of the presence service. While the service is down, nothing here blocks or grows without bound; when it is back all heals. */
import { randomBytes } from 'node:crypto';
import type { Logger } from '@maru/service-kit';
import type { Registry } from 'prom-client';
import { LocalPresence } from './local-presence.ts';
import { COUNTS_ROOMS_MAX, createPresenceHttp } from './presence-http.ts';
import { createPresenceClientMetrics } from './presence-metrics.ts';
import type { PresencePort, PresenceSubscriber } from './presence-port.ts';
import { ReportQueue } from './report-queue.ts';
import { createReporter, DEFAULT_TIMING, type ReporterTiming } from './reporter.ts';
import { createRoomWatcher, DEFAULT_WATCHER_TIMING, type WatcherTiming } from './room-watcher.ts';

export interface PresenceClientOptions {
  /** The gateway's name: letters, digits, `-`. Two living processes must not share one. */
  node: string;
  /** `http://host:port` */
  baseUrl: string;
  /** MARU_INTERNAL_SECRET; never logged. */
  secret: string;
  subscriber: PresenceSubscriber;
  logger: Logger;
  registry: Registry;
  /** Monotonic milliseconds, as of `performance.now`; it must go on while the process is stopped. */
  now?: () => number;
  timing?: Partial<ReporterTiming & WatcherTiming>;
}

/** More changes than this are told as a whole state, which takes no more reports. */
const QUEUED_OPS_MAX = 20_000;
/** A snapshot waits so long for what this node has still to tell. */
const SETTLE_MS = 50;

export function createPresenceClient(options: PresenceClientOptions): PresencePort {
  const { logger, subscriber } = options;
  const now = options.now ?? (() => performance.now());
  const timing = { ...DEFAULT_TIMING, ...DEFAULT_WATCHER_TIMING, ...options.timing };
  const local = new LocalPresence();
  const queue = new ReportQueue({ opsMax: QUEUED_OPS_MAX });
  const metrics = createPresenceClientMetrics(options.registry, {
    queued: () => queue.size,
    watched: () => watcher.size,
    isSynced: () => reporter.isSynced(),
  });
  const { node, baseUrl, secret } = options;
  const http = createPresenceHttp({ node, baseUrl, secret, metrics, now });
  const process = randomBytes(16).toString('base64url');
  const reporter = createReporter({ process, http, local, queue, timing, metrics, logger, now });
  const watcher = createRoomWatcher({ http, subscriber, timing, metrics, logger, now });

  return {
    enter(room, user) {
      const known = { id: user.id, name: user.name };
      local.enter(room, known);
      queue.push({ op: 'enter', room, user: known });
      reporter.poke(0);
    },
    leave(room, userId) {
      local.leave(room, userId);
      queue.push({ op: 'leave', room, userId });
      reporter.poke(timing.batchMs);
    },
    setStatus(userId, status, text) {
      local.setStatus(userId, status, text);
      queue.push({ op: 'status', userId, status, ...(text === undefined ? {} : { text }) });
      reporter.poke(timing.batchMs);
    },
    async snapshot(room) {
      // Who has just joined here, and asks, expects to be seen.
      await reporter.settled(SETTLE_MS);
      return watcher.snapshot(room);
    },
    async counts(rooms) {
      const counts: Record<string, number> = {};
      for (let start = 0; start < rooms.length; start += COUNTS_ROOMS_MAX) {
        const page = await http.counts(rooms.slice(start, start + COUNTS_ROOMS_MAX));
        Object.assign(counts, page.counts);
      }
      return counts;
    },
    watch: (room, onDiff) => watcher.watch(room, onDiff),
    unwatch: (room) => watcher.unwatch(room),
    async start() {
      reporter.start();
      watcher.start();
    },
    async stop() {
      await Promise.all([reporter.stop(), watcher.stop()]);
    },
  };
}
