/**
 * A worker claims rooms and copies them in rounds. It keeps a room while there is more to copy, but
 * only for a limited number of rounds, so one hot room does not delay others.
 */
import { ArchiveUnavailable } from '@maru/archive-db';
import { type Logger, type Loop, startLoop } from '@maru/service-kit';
import type { ArchiverMetrics } from '../metrics.ts';
import { BOUNDS } from '../settings.ts';
import type { Claim, RoomQueue } from '../store/room-queue.ts';
import { type CopyOptions, copyRooms, type Outcome } from './copy-rooms.ts';

interface Held extends Claim {
  batches: number;
  /** Not before this time, in milliseconds of `now`. */
  waitUntil: number;
}

export interface WorkerOptions extends Omit<CopyOptions, 'askForTrim'> {
  /**
   * A name that no other worker has, not even one before a restart: the claims of a dead worker
   * must end.
   */
  worker: string;
  queue: RoomQueue;
  metrics: ArchiverMetrics;
  logger: Logger;
  now: () => number;
}

export function startWorker(options: WorkerOptions): Loop {
  const { worker, queue, metrics, logger, now } = options;
  let held = new Map<string, Held>();

  const copy = (rooms: string[]) => copyRooms(rooms, { ...options, askForTrim: queue.askForTrim });

  /** Copies rooms one by one, so a room that PostgreSQL refuses does not stop the others. */
  const copyAlone = async (rooms: string[]): Promise<Map<string, Outcome>> => {
    const outcomes = new Map<string, Outcome>();
    for (const room of rooms)
      try {
        for (const [one, outcome] of await copy([room])) outcomes.set(one, outcome);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        metrics.refusedRooms.inc();
        logger.error({ err: error, room }, 'PostgreSQL refuses entries of a room; trying again later');
        const one = held.get(room);
        if (one !== undefined) one.waitUntil = now() + BOUNDS.refusedPauseMs;
      }
    return outcomes;
  };

  const copyHeld = async (rooms: string[]): Promise<Map<string, Outcome>> => {
    try {
      return await copy(rooms);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return copyAlone(rooms);
    }
  };

  const round = async (): Promise<'again' | undefined> => {
    const claims = await queue.claim(worker, [...held.values()], BOUNDS.roomsPerWorkerMax - held.size);
    held = new Map(
      claims.map(({ room, since }) => {
        const { batches = 0, waitUntil = 0 } = held.get(room) ?? {};
        return [room, { room, since, batches, waitUntil }];
      }),
    );
    const due = [...held.values()].filter(({ waitUntil }) => waitUntil <= now());
    if (due.length === 0) return undefined;
    const outcomes = await copyHeld(due.map(({ room }) => room));
    const released: Claim[] = [];
    for (const [room, outcome] of outcomes) {
      const one = held.get(room);
      if (one === undefined) continue;
      one.batches++;
      if (outcome.is === 'more') one.since = outcome.since ?? one.since;
      held.delete(room);
      // Put it behind the others.
      if (outcome.is === 'more' && one.batches < BOUNDS.batchesInARowMax) held.set(room, one);
      else released.push({ room, since: outcome.is === 'more' ? one.since : 0 });
    }
    await queue.release(worker, released);
    return outcomes.size > 0 && (held.size > 0 || claims.length === BOUNDS.roomsPerWorkerMax) ? 'again' : undefined;
  };

  const loop = startLoop({
    pauseMs: BOUNDS.idlePauseMs,
    work: round,
    onError: (error, isFirst) => {
      metrics.failures.inc({ part: 'copy' });
      if (isFirst) logger.warn({ err: error }, 'rooms could not be archived; trying again');
    },
  });
  return {
    async stop() {
      await loop.stop();
      // If this fails, the claims expire by themselves.
      await queue.release(worker, [...held.values()]).catch(() => {});
    },
  };
}

/** SQLSTATE classes of deadlocks, resources, limits and the state of the server. */
const OF_THE_SERVER = /^(40|53|54|55|58)/;

/** Whether the entries of a room are the cause. All other errors may affect all rooms. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ArchiveUnavailable) return error.kind === 'other' && !OF_THE_SERVER.test(error.code ?? '');
  return error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError;
}
