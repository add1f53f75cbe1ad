/**
 * The gateway's client of the presence service. While the service is down the client does not block
 * and its memory stays limited. When the service returns, the client repairs both sides.
 */
import { randomBytes } from 'node:crypto';
import { COUNTS_ROOMS_MAX } from '@maru/presence-api';
import type { Logger } from '@maru/service-kit';
import type { Registry } from 'prom-client';
import { LocalPresence } from './local-presence.ts';
import { createPresenceHttp } from './presence-http.ts';
import { createPresenceClientMetrics } from './presence-metrics.ts';
import type { PresencePort, PresenceSubscriber } from './presence-port.ts';
import { ReportPlan, type ReportTiming } from './report-plan.ts';
import { ReportQueue } from './report-queue.ts';
import { DEFAULT_REPORT_TIMING, Reporter } from './reporter.ts';
import { createRoomWatcher, DEFAULT_WATCHER_TIMING, type WatcherTiming } from './room-watcher.ts';

export interface PresenceClientOptions {
  /** The gateway's name: letters, digits, `-`. Running processes MUST NOT share one. */
  node: string;
  /** `http://host:port` */
  baseUrl: string;
  /** `MARU_INTERNAL_SECRET`. Never logged. */
  secret: string;
  subscriber: PresenceSubscriber;
  logger: Logger;
  registry: Registry;
  /** Whether the user has a connection on this node. Statuses of such users are kept here. */
  isConnected: (userId: string) => boolean;
  /**
   * Monotonic milliseconds, such as `performance.now`. MUST advance while the process is stopped.
   */
  now?: () => number;
  timing?: Partial<ReportTiming & WatcherTiming>;
}

/** Maximum changes in the queue. Beyond it, a full state takes fewer reports. */
const QUEUED_OPS_MAX = 20_000;
/** How long a snapshot waits until this node's own changes are reported. */
const FLUSH_TIMEOUT_MS = 50;

export function createPresenceClient(options: PresenceClientOptions): PresencePort {
  const { logger, subscriber } = options;
  const now = options.now ?? (() => performance.now());
  const timing = { ...DEFAULT_REPORT_TIMING, ...DEFAULT_WATCHER_TIMING, ...options.timing };
  const local = new LocalPresence({ isConnected: options.isConnected });
  const queue = new ReportQueue({ opsMax: QUEUED_OPS_MAX });
  const metrics = createPresenceClientMetrics(options.registry, {
    queued: () => queue.size,
    watched: () => watcher.size,
    isSynced: () => plan.isSynced,
  });
  const { node, baseUrl, secret } = options;
  const http = createPresenceHttp({ node, baseUrl, secret, metrics, now });
  const process = randomBytes(16).toString('base64url');
  const plan = new ReportPlan({ local, queue, timing });
  const reporter = new Reporter({ process, http, plan, timing, metrics, logger, now });
  /** A user who just joined on this node expects to be in the snapshot. */
  const readRoom = async (room: string) => {
    await reporter.flushed(FLUSH_TIMEOUT_MS);
    return http.room(room);
  };
  const watcher = createRoomWatcher({ http, readRoom, subscriber, timing, metrics, logger, now });

  return {
    enter(room, user) {
      const ref = { id: user.id, name: user.name };
      local.enter(room, ref);
      queue.push({ op: 'enter', room, user: ref });
      reporter.wake(0);
    },
    leave(room, userId) {
      local.leave(room, userId);
      queue.push({ op: 'leave', room, userId });
      reporter.wake(timing.batchMs);
    },
    async setStatus(userId, status, text) {
      const wanted = text === undefined ? { status } : { status, text };
      await http.status(userId, { ...wanted, isOutside: !local.isInRoom(userId) });
      local.setStatus(userId, status, text);
      // The status is stored. The operation announces it, or a newer one.
      queue.push({ op: 'status', userId, ...wanted, ifAbsent: true });
      reporter.wake(timing.batchMs);
    },
    snapshot: (room) => watcher.snapshot(room),
    async counts(rooms) {
      const counts: Record<string, number> = {};
      for (let start = 0; start < rooms.length; start += COUNTS_ROOMS_MAX) {
        const page = await http.counts(rooms.slice(start, start + COUNTS_ROOMS_MAX));
        Object.assign(counts, page.counts);
      }
      return counts;
    },
    users: async (reader, users) => (await http.users(reader, users)).users,
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
