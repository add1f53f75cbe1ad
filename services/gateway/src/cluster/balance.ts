/**
 * Keeps nodes level: one that joined, or came back, gets its share although everybody is connected elsewhere. Nodes tell each other
 * their loads through the store; one that is far above the mean advises some of its clients, a few at a time, to come again.
 */
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { nodeLoadsKey, nodesSeenKey } from '../keys.ts';

export const tellLoadScript = loadScript(new URL('./report-load.lua', import.meta.url));

/** Within this of the mean a node counts as level: moving a connection has a price, too. */
const TOLERATED_RATIO = 1.2;
const TOLERATED_CONNECTIONS = 20;
/** Of what is too much, at most this part moves in one round; the next round sees what came of it. */
const ROUND_SHARE = 0.25;
const ROUND_CONNECTIONS_MAX = 200;
/** A node is forgotten after so many rounds of silence. */
const STALE_ROUNDS = 3;

/** How many of `own` connections should move now, given the loads of all nodes, this one's included. Pure. */
export function connectionsToMove(own: number, loads: number[]): number {
  if (loads.length < 2) return 0;
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  if (own <= mean * TOLERATED_RATIO + TOLERATED_CONNECTIONS) return 0;
  return Math.min(Math.ceil((own - mean) * ROUND_SHARE), ROUND_CONNECTIONS_MAX);
}

export interface Balance {
  start(): void;
  /** This node leaves: the others need not reckon with it. Never rejects. */
  leave(): Promise<void>;
}

export function createBalance(options: {
  store: RedisStore;
  node: string;
  roundMs: number;
  connections: () => number;
  /** Advises so many connections to come again, spread over `withinMs`; tells how many. Undefined: nobody is ever advised. */
  advise: ((count: number, withinMs: number) => number) | undefined;
  logger: Logger;
}): Balance {
  const { store, node, roundMs, logger } = options;
  let timer: NodeJS.Timeout | undefined;

  const tell = async (connections: number | ''): Promise<number[]> => {
    const keys = [nodeLoadsKey(), nodesSeenKey()];
    const reply = (await runScript(store, tellLoadScript, keys, [
      node,
      connections,
      STALE_ROUNDS * roundMs,
    ])) as string[];
    return reply.filter((_, index) => index % 2 === 1).map(Number);
  };

  const round = async () => {
    try {
      const own = options.connections();
      const move = connectionsToMove(own, await tell(own));
      const advised = move === 0 ? 0 : (options.advise?.(move, roundMs) ?? 0);
      if (advised > 0) logger.info({ own, advised }, 'connections were advised to move to other nodes');
    } catch (error) {
      // Balance can wait; the store's health is reported elsewhere.
      logger.debug({ reason: String(error) }, 'loads could not be compared');
    }
  };

  return {
    start() {
      timer = setInterval(round, roundMs);
    },
    async leave() {
      clearInterval(timer);
      await tell('').catch((error: unknown) =>
        logger.debug({ reason: String(error) }, 'the load could not be taken back'),
      );
    },
  };
}
