/**
 * Watched rooms. For each room it subscribes first, then fetches a snapshot, then applies
 * differences while their versions fit. Pub/sub can lose the last message unnoticed, so an audit
 * compares the versions with the service's.
 */
import type { RoomAnswer } from '@maru/presence-api';
import { MaruError, type PresenceDiff, type PresenceSnapshot } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { createAudit } from './audit.ts';
import { createChannels } from './channels.ts';
import type { PresenceHttp } from './presence-http.ts';
import type { PresenceClientMetrics } from './presence-metrics.ts';
import type { PresenceSubscriber } from './presence-port.ts';
import { WatchedRoom } from './watched-room.ts';

export interface WatcherTiming {
  /** Interval of audits. An audit compares at most 200 rooms. */
  auditMs: number;
  /** How long an audit waits for a difference in flight before it counts as lost. */
  auditWaitMs: number;
  /** A mirror answers in place of the service only if the service answered this recently. */
  freshMs: number;
}

export const DEFAULT_WATCHER_TIMING: WatcherTiming = { auditMs: 2_000, auditWaitMs: 500, freshMs: 6_000 };

/** Including the deadline of the read, a caller waits less than a second. */
const SUBSCRIBE_TIMEOUT_MS = 200;

export type RoomWatcher = ReturnType<typeof createRoomWatcher>;

export function createRoomWatcher(options: {
  http: PresenceHttp;
  /** The service's snapshot of a room. Rejects with `unavailable`. */
  readRoom: (room: string) => Promise<RoomAnswer>;
  subscriber: PresenceSubscriber;
  timing: WatcherTiming;
  metrics: PresenceClientMetrics;
  logger: Logger;
  now: () => number;
}) {
  const { http, readRoom, subscriber, timing, metrics, logger, now } = options;
  const rooms = new Map<string, WatchedRoom>();
  const unwatchedReads = new Map<string, Promise<PresenceSnapshot>>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  /** A failure is only counted: the next audit retries. */
  const refetch = async (room: WatchedRoom, reason: 'gap' | 'audit'): Promise<void> => {
    metrics.refetches.inc({ reason });
    await room.refetch().catch(() => {});
  };

  const channels = createChannels({
    subscriber,
    logger,
    isWanted: (name) => rooms.has(name),
    onDiff(name, diff) {
      const room = rooms.get(name);
      if (room?.receive(diff) === 'gap') void refetch(room, 'gap');
    },
    onBadPayload: () => metrics.badPayloads.inc(),
  });

  const audit = createAudit({
    rooms,
    channels,
    http,
    waitMs: timing.auditWaitMs,
    refetch: (room) => refetch(room, 'audit'),
    isStopped: () => isStopped,
  });

  subscriber.onResubscribed(() => {
    if (isStopped) return;
    // Any room may have missed differences, so no mirror answers before the audit compared it.
    for (const room of rooms.values()) room.isBehind = true;
    void audit.runAll();
  });

  const isFresh = (room: WatchedRoom): boolean =>
    !room.isBehind && subscriber.alive && channels.has(room.name) && now() - http.lastAnswerAt() < timing.freshMs;

  /** One request for all callers that ask at the same time. */
  const readUnwatched = (name: string): Promise<PresenceSnapshot> => {
    const running = unwatchedReads.get(name);
    if (running !== undefined) return running;
    const read = readRoom(name)
      .then(({ count, users }): PresenceSnapshot => (users === undefined ? { count } : { count, users }))
      .finally(() => unwatchedReads.delete(name));
    unwatchedReads.set(name, read);
    return read;
  };

  return {
    async watch(name: string, onDiff: (diff: PresenceDiff) => void): Promise<void> {
      const room = new WatchedRoom(name, onDiff, async () => {
        // Subscribe first, or a difference could be lost in between. If the subscription hangs,
        // read without it: the audit finds what is missing.
        await within(channels.reconcile(name), SUBSCRIBE_TIMEOUT_MS);
        return readRoom(name);
      });
      rooms.get(name)?.close();
      rooms.set(name, room);
      await channels.reconcile(name);
      await room.fetch().catch(() => {
        room.isBehind = true;
      });
    },

    unwatch(name: string): void {
      const room = rooms.get(name);
      if (room === undefined) return;
      room.close();
      rooms.delete(name);
      void channels.reconcile(name);
    },

    async snapshot(name: string): Promise<PresenceSnapshot> {
      const room = rooms.get(name);
      if (room === undefined) return readUnwatched(name);
      const mirrored = room.mirror.snapshot();
      if (mirrored !== undefined && isFresh(room)) return mirrored;
      await room.fetch();
      const fetched = room.mirror.snapshot();
      if (fetched === undefined) throw new MaruError('unavailable', 'presence has no snapshot of the room');
      return fetched;
    },

    start() {
      timer ??= setInterval(() => void audit.runPage(), timing.auditMs);
    },

    async stop(): Promise<void> {
      isStopped = true;
      clearInterval(timer);
      const names = [...rooms.keys()];
      for (const room of rooms.values()) room.close();
      rooms.clear();
      await Promise.all(names.map(channels.reconcile));
      await audit.finished();
    },

    get size() {
      return rooms.size;
    },
  };
}

const within = (work: Promise<void>, timeoutMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs).unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
