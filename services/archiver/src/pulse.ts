/** Checks regularly whether Redis and PostgreSQL answer, and how far the archive is behind. */
import type { Archive } from '@maru/archive-db';
import { type Logger, type Loop, startLoop } from '@maru/service-kit';
import type { ArchiverMetrics } from './metrics.ts';
import { BOUNDS } from './settings.ts';
import type { RoomQueue } from './store/room-queue.ts';

export interface Pulse extends Loop {
  readonly isAlive: boolean;
}

export function startPulse(options: {
  archive: Archive;
  queue: RoomQueue;
  metrics: ArchiverMetrics;
  logger: Logger;
  now: () => number;
}): Pulse {
  const { archive, queue, metrics, logger, now } = options;
  let lastAt = Number.NEGATIVE_INFINITY;

  const beat = async () => {
    const { rooms, ageMs } = await queue.state();
    metrics.waitingRooms.set(rooms);
    metrics.lag.set(ageMs / 1_000);
    const { open, waiting } = archive.usage();
    metrics.postgresConnections.set({ state: 'open' }, open);
    metrics.postgresConnections.set({ state: 'waiting' }, waiting);
    await archive.read((tx) => tx.query('SELECT 1'));
    lastAt = now();
  };

  const loop = startLoop({
    pauseMs: BOUNDS.pulseMs,
    work: beat,
    onError: (error, isFirst) => {
      metrics.failures.inc({ part: 'pulse' });
      if (isFirst) logger.warn({ err: error }, 'Redis or PostgreSQL does not answer');
    },
  });
  return {
    get isAlive() {
      return now() - lastAt < BOUNDS.readyWithinMs;
    },
    stop: loop.stop,
  };
}
