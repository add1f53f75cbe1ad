/**
 * Balances connections across nodes, so that a new node gets its share. Nodes report their
 * connection counts through the store. A node far above the mean advises some of its clients, a few
 * at a time, to reconnect.
 */
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { nodeLoadsKey, nodesSeenKey } from '../keys.ts';

export const reportLoadScript = loadScript(new URL('./report-load.lua', import.meta.url));

/** A node within this tolerance is balanced, because moving a connection also has a cost. */
const TOLERATED_RATIO = 1.2;
const TOLERATED_CONNECTIONS = 20;
/** At most this part of the surplus moves in one round. The next round sees the result. */
const ROUND_SHARE = 0.25;
const ROUND_CONNECTIONS_MAX = 200;
/** A node that has been silent for this many rounds is removed. */
const STALE_ROUNDS = 3;

/**
 * The number of this node's connections that should move now. `loads` are those of all nodes,
 * including this one. Pure.
 */
export function connectionsToMove(own: number, loads: number[]): number {
  if (loads.length < 2) return 0;
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  if (own <= mean * TOLERATED_RATIO + TOLERATED_CONNECTIONS) return 0;
  return Math.min(Math.ceil((own - mean) * ROUND_SHARE), ROUND_CONNECTIONS_MAX);
}

export interface Balance {
  start(): void;
  /** Removes this node from the comparison. Never rejects. */
  leave(): Promise<void>;
}

export function createBalance(options: {
  store: RedisStore;
  node: string;
  roundMs: number;
  connections: () => number;
  /**
   * Advises up to `count` connections to reconnect within `withinMs`. Returns how many it advised.
   * Undefined switches this off.
   */
  advise: ((count: number, withinMs: number) => number) | undefined;
  logger: Logger;
}): Balance {
  const { store, node, roundMs, logger } = options;
  let timer: NodeJS.Timeout | undefined;

  const report = async (connections: number | ''): Promise<number[]> => {
    const keys = [nodeLoadsKey(), nodesSeenKey()];
    const reply = (await runScript(store, reportLoadScript, keys, [
      node,
      connections,
      STALE_ROUNDS * roundMs,
    ])) as string[];
    return reply.filter((_, index) => index % 2 === 1).map(Number);
  };

  const round = async () => {
    try {
      const own = options.connections();
      const move = connectionsToMove(own, await report(own));
      const advised = move === 0 ? 0 : (options.advise?.(move, roundMs) ?? 0);
      if (advised > 0) logger.info({ own, advised }, 'advised connections to move to other nodes');
    } catch (error) {
      // Balancing can wait. Store health is reported by its own check.
      logger.debug({ reason: String(error) }, 'the nodes were not compared');
    }
  };

  return {
    start() {
      timer = setInterval(round, roundMs);
    },
    async leave() {
      clearInterval(timer);
      await report('').catch((error: unknown) =>
        logger.debug({ reason: String(error) }, 'the report of this node was not removed'),
      );
    },
  };
}
