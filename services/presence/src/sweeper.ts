/**
 * Clears what nodes left behind: of dead and departed ones everything, of living ones the epochs before their last full
 * state. Fenced by the epoch, so a newer process under the same name is never touched; repeating it changes nothing.
 */
import type { Logger } from '@maru/service-kit';
import { concurrently } from './concurrently.ts';
import { startLoop } from './loop.ts';
import type { PresenceMetrics } from './metrics.ts';
import type { Rooms, UserEvent } from './rooms.ts';
import { BOUNDS } from './settings.ts';
import { type PresenceStore, partsOf } from './store/presence-store.ts';

export interface Sweeper {
  /** Looks at a node soon, without waiting for its turn. A failure is reported and left to the next turn. */
  poke(node: string): void;
  /** Resolves when the sweep under way has ended. */
  stop(): Promise<void>;
}

const NODES_PER_TURN = 10;

export function startSweeper(options: {
  store: PresenceStore;
  rooms: Rooms;
  metrics: PresenceMetrics;
  logger: Logger;
  sweepMs: number;
  /** For so long after the start and after store trouble nobody is declared dead: nodes could not beat meanwhile. */
  holdMs: number;
  now: () => number;
}): Sweeper {
  const { store, rooms, metrics, logger, now } = options;
  const startedAt = now();
  const poked = new Map<string, Promise<void>>();

  const clearEpoch = async (node: string, epoch: number) => {
    const stopTimer = metrics.sweepSeconds.startTimer();
    for (;;) {
      const pairs = await store.pairs(node, epoch, BOUNDS.pageMax);
      if (pairs.length === 0) break;
      const byRoom = new Map<string, UserEvent[]>();
      for (const pair of pairs) {
        const { room, userId } = partsOf(pair);
        const event: UserEvent = { userId, event: { type: 'gone', node, epoch } };
        const known = byRoom.get(room);
        if (known === undefined) byRoom.set(room, [event]);
        else known.push(event);
      }
      const agenda = new Map<string, number>();
      await concurrently(byRoom, BOUNDS.agendaConcurrency, async ([room, events]) => {
        const nextAt = await rooms.apply(room, events);
        if (nextAt > 0) agenda.set(room, nextAt);
      });
      await store.scheduleRooms(agenda);
      // Last, so that a crash before leaves the page to the next sweep.
      await store.dropPairs(node, epoch, pairs);
      metrics.sweptEntries.inc(pairs.length);
    }
    await store.dropEpoch(node, epoch);
    stopTimer();
  };

  /** When to look again; 0 for never. */
  const sweep = async (node: string): Promise<number> => {
    const look = await store.expireNode(node);
    if (look.state === 'expired') {
      metrics.leaseExpirations.inc();
      logger.warn({ peer: node }, 'the lease of a node has ended');
    }
    for (const epoch of look.epochs) await clearEpoch(node, epoch);
    return look.state === 'alive' ? look.leaseUntil + 1 : 0;
  };

  const loop = startLoop({
    pauseMs: options.sweepMs,
    work: async () => {
      if (now() < Math.max(startedAt, store.health.lastFailedAt) + options.holdMs) return;
      const { claim, members } = await store.claimDue('nodes', NODES_PER_TURN);
      await concurrently(members, 2, async (node) => {
        await store.releaseClaim('nodes', node, claim, await sweep(node));
      });
    },
    onError: (error, first) => {
      if (first) logger.warn({ err: error }, 'dead nodes cannot be cleared');
    },
  });

  return {
    poke(node) {
      if (poked.has(node)) return;
      const work = sweep(node).then(
        () => {},
        (error: unknown) => logger.warn({ err: error, peer: node }, 'a node could not be cleared; it is tried again'),
      );
      poked.set(
        node,
        work.finally(() => poked.delete(node)),
      );
    },
    async stop() {
      await loop.stop();
      await Promise.all(poked.values());
    },
  };
}
