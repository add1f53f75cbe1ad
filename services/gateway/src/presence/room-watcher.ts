/**
 * Watched rooms: subscription first, then a snapshot, then differences as long as their versions join up. Pub/sub may lose
 * the last message without a trace, so versions are compared with the service's from time to time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MaruError, type PresenceDiff, type PresenceSnapshot } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { presenceChannel } from '../keys.ts';
import { COUNTS_ROOMS_MAX, type PresenceHttp } from './presence-http.ts';
import type { PresenceClientMetrics } from './presence-metrics.ts';
import type { PresenceSubscriber } from './presence-port.ts';
import { RoomMirror } from './room-mirror.ts';
import { parseWireDiff, type WireDiff } from './wire.ts';

export interface WatcherTiming {
  /** Between two comparisons of at most 200 rooms. */
  auditMs: number;
  /** A difference that is on its way gets so long to arrive before it counts as lost. */
  auditPatienceMs: number;
  /** A mirror answers for the service only while the service was heard of this recently. */
  freshMs: number;
}

export const DEFAULT_WATCHER_TIMING: WatcherTiming = { auditMs: 2_000, auditPatienceMs: 500, freshMs: 6_000 };

/** With the deadline of the request it stays below a second for whoever waits. */
const SUBSCRIBE_PATIENCE_MS = 200;
/** Snapshots fetched at a time after an audit. */
const REFETCH_CONCURRENCY = 8;
/** More than a snapshot's deadline brings at the usual pace. */
const HELD_DIFFS_MAX = 16;

interface Watched {
  room: string;
  onDiff: (diff: PresenceDiff) => void;
  mirror: RoomMirror;
  /** The mirror is known to be behind, so it must not answer. */
  isBehind: boolean;
  fetching: Promise<void> | undefined;
  /** Differences that did not fit while a snapshot was on its way: they may build on it. */
  held: WireDiff[];
}

export type RoomWatcher = ReturnType<typeof createRoomWatcher>;

export function createRoomWatcher(options: {
  http: PresenceHttp;
  subscriber: PresenceSubscriber;
  timing: WatcherTiming;
  metrics: PresenceClientMetrics;
  logger: Logger;
  now: () => number;
}) {
  const { http, subscriber, timing, metrics, logger, now } = options;
  const watched = new Map<string, Watched>();
  const subscribed = new Set<string>();
  /** Subscriptions under way; one at a time for each room. */
  const reconciling = new Map<string, Promise<void>>();
  const fetchingUnwatched = new Map<string, Promise<PresenceSnapshot>>();
  let timer: NodeJS.Timeout | undefined;
  let auditing: Promise<void> | undefined;
  let auditFrom = 0;
  let isStopped = false;
  let subscribeFailures = 0;

  const applyTo = (entry: Watched, diff: WireDiff) => {
    const step = entry.mirror.apply(diff);
    if (step.result === 'applied' && step.diff !== undefined) entry.onDiff(step.diff);
    return step.result;
  };

  const onPayload = (room: string, payload: string) => {
    const entry = watched.get(room);
    if (entry === undefined) return;
    const diff = parseWireDiff(room, payload);
    if (diff === undefined) {
      metrics.badPayloads.inc();
      return;
    }
    if (entry.isBehind && entry.fetching !== undefined) {
      if (entry.held.length < HELD_DIFFS_MAX) entry.held.push(diff);
      return;
    }
    if (applyTo(entry, diff) !== 'gap') return;
    if (entry.fetching === undefined) {
      void refetch(entry, 'gap');
    } else {
      entry.isBehind = true;
      entry.held.push(diff);
    }
  };

  /** Brings the subscription to what is wanted; what fails is left to the next audit. */
  const reconcile = (room: string): Promise<void> => {
    const known = reconciling.get(room);
    if (known !== undefined) return known;
    const work = async () => {
      while (watched.has(room) !== subscribed.has(room)) {
        const channel = presenceChannel(room);
        if (watched.has(room)) {
          await subscriber.subscribe(channel, (payload) => onPayload(room, payload));
          subscribed.add(room);
        } else {
          subscribed.delete(room);
          await subscriber.unsubscribe(channel);
        }
      }
      subscribeFailures = 0;
    };
    const started = work()
      .catch((error: unknown) => {
        subscribeFailures++;
        if (subscribeFailures === 1) logger.warn({ err: error }, 'a presence channel cannot be subscribed');
      })
      .finally(() => reconciling.delete(room));
    reconciling.set(room, started);
    return started;
  };

  /** One request for all who ask at the same time. Rejects with `unavailable`. */
  const fetchInto = (entry: Watched): Promise<void> => {
    entry.fetching ??= (async () => {
      try {
        // Subscription first, or a difference could fall between. Where that hangs the audit closes the gap.
        await Promise.race([reconcile(entry.room), sleep(SUBSCRIBE_PATIENCE_MS, undefined, { ref: false })]);
        const answer = await http.room(entry.room);
        // A difference may have overtaken the answer.
        const version = entry.mirror.version;
        if (!entry.isBehind && version !== undefined && answer.version !== 0 && answer.version < version) return;
        const step = entry.mirror.reset(answer);
        if (watched.get(entry.room) !== entry) return;
        if (step.result === 'applied' && step.diff !== undefined) entry.onDiff(step.diff);
        entry.isBehind = entry.held.some((diff) => applyTo(entry, diff) === 'gap');
      } finally {
        entry.held = [];
        entry.fetching = undefined;
      }
    })();
    return entry.fetching;
  };

  /** For what nobody waits for: a failure is counted, and the audit comes back to it. */
  const refetch = async (entry: Watched, reason: 'gap' | 'audit'): Promise<void> => {
    metrics.refetches.inc({ reason });
    // Whatever the service answers is right, even an older version: its store may have been rolled back.
    entry.isBehind = true;
    await fetchInto(entry).catch(() => {});
  };

  const refetchAll = async (entries: Watched[]) => {
    const iterator = entries.values();
    const worker = async () => {
      for (const entry of iterator) if (!isStopped) await refetch(entry, 'audit');
    };
    await Promise.all(Array.from({ length: REFETCH_CONCURRENCY }, worker));
  };

  const auditPage = async (entries: Watched[]) => {
    for (const { room } of entries) if (!subscribed.has(room)) void reconcile(room);
    const { versions } = await http.counts(entries.map(({ room }) => room));
    const suspects: Array<{ entry: Watched; versionThen: number | undefined }> = [];
    for (const entry of entries) {
      const { room, mirror, isBehind } = entry;
      // An emptied room is forgotten by the service, and nothing is missing where the mirror is empty too.
      const isEmpty = versions[room] === 0 && mirror.snapshot()?.count === 0;
      if (isBehind || (mirror.version !== versions[room] && !isEmpty))
        suspects.push({ entry, versionThen: mirror.version });
    }
    if (suspects.length === 0) return;
    await sleep(timing.auditPatienceMs);
    // Ahead of the answer is right for a mirror that moves; one that stands still remembers what the store has lost.
    const isCaughtUp = ({ room, mirror, isBehind }: Watched, versionThen: number | undefined): boolean => {
      const told = versions[room] ?? 0;
      if (isBehind || mirror.version === undefined || told === 0) return false;
      return mirror.version === told || (mirror.version > told && mirror.version !== versionThen);
    };
    await refetchAll(
      suspects.flatMap(({ entry, versionThen }) =>
        watched.get(entry.room) === entry && !isCaughtUp(entry, versionThen) ? entry : [],
      ),
    );
  };

  const audit = (pagesMax: number): Promise<void> => {
    auditing ??= (async () => {
      const rooms = [...watched.keys()];
      const pages = Math.min(pagesMax, Math.ceil(rooms.length / COUNTS_ROOMS_MAX));
      for (let page = 0; page < pages && !isStopped; page++) {
        if (auditFrom >= rooms.length) auditFrom = 0;
        const names = rooms.slice(auditFrom, auditFrom + COUNTS_ROOMS_MAX);
        auditFrom += COUNTS_ROOMS_MAX;
        await auditPage(names.flatMap((room) => watched.get(room) ?? []));
      }
    })()
      // Counted with the request; the reporter's log line tells of the outage.
      .catch(() => {})
      .finally(() => {
        auditing = undefined;
      });
    return auditing;
  };

  subscriber.onResubscribed(() => {
    if (isStopped) return;
    // Anything may have been missed, so no mirror answers before it was compared.
    for (const entry of watched.values()) entry.isBehind = true;
    const before = auditing ?? Promise.resolve();
    void before.then(() => audit(Number.POSITIVE_INFINITY));
  });

  const isFresh = (entry: Watched): boolean =>
    !entry.isBehind && subscriber.alive && subscribed.has(entry.room) && now() - http.lastAnswerAt() < timing.freshMs;

  return {
    async watch(room: string, onDiff: (diff: PresenceDiff) => void): Promise<void> {
      const entry: Watched = {
        room,
        onDiff,
        mirror: new RoomMirror(room),
        isBehind: false,
        fetching: undefined,
        held: [],
      };
      watched.set(room, entry);
      await reconcile(room);
      await fetchInto(entry).catch(() => {
        entry.isBehind = true;
      });
    },

    unwatch(room: string): void {
      if (watched.delete(room)) void reconcile(room);
    },

    async snapshot(room: string): Promise<PresenceSnapshot> {
      const entry = watched.get(room);
      if (entry === undefined) {
        const known = fetchingUnwatched.get(room);
        if (known !== undefined) return known;
        const fetched = http
          .room(room)
          .then(({ count, users }): PresenceSnapshot => (users === undefined ? { count } : { count, users }))
          .finally(() => fetchingUnwatched.delete(room));
        fetchingUnwatched.set(room, fetched);
        return fetched;
      }
      const mirrored = entry.mirror.snapshot();
      if (mirrored !== undefined && isFresh(entry)) return mirrored;
      await fetchInto(entry);
      const fetched = entry.mirror.snapshot();
      if (fetched === undefined) throw new MaruError('unavailable', 'presence has no snapshot of the room');
      return fetched;
    },

    start() {
      timer ??= setInterval(() => void audit(1), timing.auditMs);
    },

    async stop(): Promise<void> {
      isStopped = true;
      clearInterval(timer);
      const rooms = [...watched.keys()];
      watched.clear();
      await Promise.all(rooms.map(reconcile));
      await auditing;
    },

    get size() {
      return watched.size;
    },
  };
}
