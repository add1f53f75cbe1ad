/**
 * Compares the versions of watched rooms with the service's, page by page, and repairs differences.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { COUNTS_ROOMS_MAX } from '@maru/presence-api';
import type { Channels } from './channels.ts';
import type { PresenceHttp } from './presence-http.ts';
import type { WatchedRoom } from './watched-room.ts';

/** Maximum concurrent snapshot requests. */
const REFETCH_CONCURRENCY = 8;

export interface Audit {
  /** Compares the next page of rooms, unless an audit is running. */
  runPage(): Promise<void>;
  /** Compares all rooms, after the running audit. */
  runAll(): Promise<void>;
  /** Resolves when no audit is running. */
  finished(): Promise<void>;
}

export function createAudit(options: {
  rooms: ReadonlyMap<string, WatchedRoom>;
  channels: Channels;
  http: PresenceHttp;
  /** How long to wait for a difference in flight before it counts as lost. */
  waitMs: number;
  /** Never rejects. */
  refetch: (room: WatchedRoom) => Promise<void>;
  isStopped: () => boolean;
}): Audit {
  const { rooms, channels, http, refetch, isStopped } = options;
  let running: Promise<void> | undefined;
  let nextIndex = 0;

  const refetchAll = async (behind: WatchedRoom[]) => {
    const queue = behind.values();
    const worker = async () => {
      for (const room of queue) if (!isStopped()) await refetch(room);
    };
    await Promise.all(Array.from({ length: REFETCH_CONCURRENCY }, worker));
  };

  const auditPage = async (page: WatchedRoom[]) => {
    for (const { name } of page) if (!channels.has(name)) void channels.reconcile(name);
    const { versions } = await http.counts(page.map(({ name }) => name));
    const suspects = page
      .filter((room) => isSuspect(room, versions[room.name]))
      .map((room) => ({ room, before: room.mirror.version }));
    if (suspects.length === 0) return;
    await sleep(options.waitMs);
    const behind = suspects.filter(
      ({ room, before }) => rooms.get(room.name) === room && !hasCaughtUp(room, versions[room.name] ?? 0, before),
    );
    await refetchAll(behind.map(({ room }) => room));
  };

  const auditPages = async (pagesMax: number) => {
    const names = [...rooms.keys()];
    const pages = Math.min(pagesMax, Math.ceil(names.length / COUNTS_ROOMS_MAX));
    for (let page = 0; page < pages && !isStopped(); page++) {
      if (nextIndex >= names.length) nextIndex = 0;
      const end = nextIndex + COUNTS_ROOMS_MAX;
      await auditPage(names.slice(nextIndex, end).flatMap((name) => rooms.get(name) ?? []));
      nextIndex = end;
    }
  };

  const run = (pagesMax: number): Promise<void> => {
    running ??= auditPages(pagesMax)
      // The request's failure is already counted, and the reporter logs the outage.
      .catch(() => {})
      .finally(() => {
        running = undefined;
      });
    return running;
  };

  return {
    runPage: () => run(1),
    async runAll() {
      await running;
      await run(Number.POSITIVE_INFINITY);
    },
    finished: async () => running,
  };
}

function isSuspect({ mirror, isBehind }: WatchedRoom, version: number | undefined): boolean {
  // The service forgets an empty room. Then an empty mirror is complete.
  const isEmpty = version === 0 && mirror.snapshot()?.count === 0;
  return isBehind || (mirror.version !== version && !isEmpty);
}

/**
 * Whether the mirror reached `version` by differences. A mirror ahead of `version` is right only if
 * it has moved since `before`. If it has not moved, it contains what Redis has lost.
 */
function hasCaughtUp({ mirror, isBehind }: WatchedRoom, version: number, before: number | undefined): boolean {
  if (isBehind || mirror.version === undefined || version === 0) return false;
  return mirror.version === version || (mirror.version > version && mirror.version !== before);
}
