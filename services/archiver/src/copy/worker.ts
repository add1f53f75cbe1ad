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
  /** Its transaction took too long, so no other room shares one with it. */
  isAlone: boolean;
}

/** If PostgreSQL takes too long for so many rooms, and was fast for none, it is slow for all. */
const SLOW_ROOMS_MAX = 2;

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
  let isStopping = false;
  /** The claims are extended at the beginning of a round only. */
  let roundEndsAtMs = 0;

  const copy = (rooms: string[]) => copyRooms(rooms, { ...options, askForTrim: queue.askForTrim });

  const putOff = (room: string, error: unknown): void => {
    metrics.refusedRooms.inc();
    if (isTimeout(error))
      logger.error({ err: error, room }, 'a transaction of a room takes too long; trying again later');
    else logger.error({ err: error, room }, 'PostgreSQL refuses entries of a room; trying again later');
    const one = held.get(room);
    if (one !== undefined) one.waitUntil = now() + BOUNDS.refusedPauseMs;
  };

  /**
   * A room that fails does not stop the others. `isFast`: PostgreSQL has just served other rooms.
   * If it is slow for all, no room is put off. Each room that takes too long costs a deadline, so
   * the rest waits for the next round.
   */
  const copyAlone = async (rooms: string[], isFast: boolean): Promise<Map<string, Outcome>> => {
    const outcomes = new Map<string, Outcome>();
    const slow = new Map<string, unknown>();
    for (const room of rooms) {
      if (isStopping || now() > roundEndsAtMs) break;
      if (slow.size >= (isFast || outcomes.size > 0 ? 1 : SLOW_ROOMS_MAX)) break;
      try {
        for (const [one, outcome] of await copy([room])) outcomes.set(one, outcome);
      } catch (error) {
        if (isRefusal(error)) putOff(room, error);
        else if (isTimeout(error)) slow.set(room, error);
        else throw error;
      }
    }
    for (const [room, error] of slow) {
      const one = held.get(room);
      if (one !== undefined) one.isAlone = true;
      if (isFast || outcomes.size > 0) putOff(room, error);
    }
    if (slow.size > 0 && !isFast && outcomes.size === 0) throw [...slow.values()][0];
    return outcomes;
  };

  const copyTogether = async (rooms: string[]): Promise<Map<string, Outcome>> => {
    if (rooms.length === 1) return copyAlone(rooms, false);
    try {
      return await copy(rooms);
    } catch (error) {
      if (!isRefusal(error) && !isTimeout(error)) throw error;
      return copyAlone(rooms, false);
    }
  };

  const copyHeld = async (rooms: string[]): Promise<Map<string, Outcome>> => {
    const together = rooms.filter((room) => held.get(room)?.isAlone === false);
    const alone = rooms.filter((room) => held.get(room)?.isAlone === true);
    const outcomes = together.length > 0 ? await copyTogether(together) : new Map<string, Outcome>();
    return new Map([...outcomes, ...(await copyAlone(alone, outcomes.size > 0))]);
  };

  const round = async (): Promise<'again' | undefined> => {
    roundEndsAtMs = now() + BOUNDS.claimMs / 2;
    const claims = await queue.claim(worker, [...held.values()], BOUNDS.roomsPerWorkerMax - held.size);
    held = new Map(
      claims.map(({ room, since }) => {
        const { batches = 0, waitUntil = 0, isAlone = false } = held.get(room) ?? {};
        return [room, { room, since, batches, waitUntil, isAlone }];
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
      one.isAlone = false;
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
      isStopping = true;
      await loop.stop();
      // If this fails, the claims expire by themselves.
      await queue.release(worker, [...held.values()]).catch(() => {});
    },
  };
}

const isTimeout = (error: unknown): boolean => error instanceof ArchiveUnavailable && error.kind === 'timeout';

/** Deadlocks, resources, limits and the state of the server. */
const OF_THE_SERVER = /^(40|53|54|55|58)/;

/** Whether the entries of a room are the cause. All other errors may affect all rooms. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ArchiveUnavailable) return error.kind === 'other' && !OF_THE_SERVER.test(error.code ?? '');
  return error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError;
}
