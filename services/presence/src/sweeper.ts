/**
 * Removes the entries of nodes: all entries of dead and departed nodes, and of living nodes those
 * of epochs before the last full state. An epoch is an argument of every removal, so a newer
 * process with the same name is not affected. Repeating a sweep changes nothing.
 */
import { concurrently, type Logger, startLoop } from '@maru/service-kit';
import type { PresenceMetrics } from './metrics.ts';
import type { Rooms, UserEvent } from './rooms.ts';
import { BOUNDS } from './settings.ts';
import { partsOf } from './store/node-store.ts';
import type { PresenceStore } from './store/presence-store.ts';

export interface Sweeper {
  /** Sweeps a node now instead of at its scheduled time. A failure is logged and retried then. */
  sweepNow(node: string): void;
  /** Resolves when the running sweeps have ended. */
  stop(): Promise<void>;
}

const NODES_PER_ROUND = 10;
const NODE_CONCURRENCY = 2;

export function startSweeper(options: {
  store: PresenceStore;
  rooms: Rooms;
  metrics: PresenceMetrics;
  logger: Logger;
  sweepMs: number;
  /**
   * After a start or a Redis failure no lease expires for this long, because nodes could not renew
   * their leases.
   */
  holdMs: number;
  now: () => number;
}): Sweeper {
  const { store, rooms, metrics, logger, now } = options;
  const startedAt = now();
  const running = new Map<string, Promise<void>>();

  const clearPage = async (node: string, epoch: number, pairs: string[]) => {
    const dueAt = new Map<string, number>();
    await concurrently(eventsByRoom(node, epoch, pairs), BOUNDS.roomConcurrency, async ([room, events]) => {
      const nextAt = await rooms.apply(room, events);
      if (nextAt > 0) dueAt.set(room, nextAt);
    });
    await store.scheduleRooms(dueAt);
    // Last, so that after a crash the next sweep repeats the page.
    await store.dropPairs(node, epoch, pairs);
    metrics.sweptEntries.inc(pairs.length);
  };

  const clearEpoch = async (node: string, epoch: number) => {
    const stopTimer = metrics.sweepSeconds.startTimer();
    for (;;) {
      const pairs = await store.pairs(node, epoch, BOUNDS.pageMax);
      if (pairs.length === 0) break;
      await clearPage(node, epoch, pairs);
    }
    await store.dropEpoch(node, epoch);
    stopTimer();
  };

  /** Returns the time of the next check, or 0 for never. */
  const sweep = async (node: string): Promise<number> => {
    const { state, leaseUntil, epochs } = await store.expireNode(node);
    if (state === 'expired') {
      metrics.leaseExpirations.inc();
      logger.warn({ peer: node }, 'the lease of a node expired');
    }
    for (const epoch of epochs) await clearEpoch(node, epoch);
    return state === 'alive' ? leaseUntil + 1 : 0;
  };

  const loop = startLoop({
    pauseMs: options.sweepMs,
    work: async () => {
      if (now() < Math.max(startedAt, store.health.lastFailedAt) + options.holdMs) return;
      const { claim, members } = await store.claimDue('nodes', NODES_PER_ROUND);
      await concurrently(members, NODE_CONCURRENCY, async (node) => {
        await store.releaseClaim('nodes', node, claim, await sweep(node));
      });
    },
    onError: (error, isFirst) => {
      if (isFirst) logger.warn({ err: error }, 'dead nodes could not be removed; retrying');
    },
  });

  return {
    sweepNow(node) {
      if (running.has(node)) return;
      const work = sweep(node).then(
        () => {},
        (error: unknown) => logger.warn({ err: error, peer: node }, 'a node could not be removed; retrying'),
      );
      running.set(
        node,
        work.finally(() => running.delete(node)),
      );
    },
    async stop() {
      await loop.stop();
      await Promise.all(running.values());
    },
  };
}

function eventsByRoom(node: string, epoch: number, pairs: string[]): Map<string, UserEvent[]> {
  const byRoom = new Map<string, UserEvent[]>();
  for (const pair of pairs) {
    const { room, userId } = partsOf(pair);
    const events = byRoom.get(room) ?? [];
    byRoom.set(room, events);
    events.push({ userId, event: { type: 'gone', node, epoch } });
  }
  return byRoom;
}
