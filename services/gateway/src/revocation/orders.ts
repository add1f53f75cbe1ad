/**
 * Orders of administrators to all nodes: revoke a user, disconnect a user, drain or rebalance a
 * node, announce a text. The store is the source of truth: it has a set of all revocations, and a
 * stream of the newest orders. Every node keeps the set in memory. It reads the stream on each
 * tick, and at once when a signal arrives. Signals may be lost.
 *
 * This module does not know sessions: `onOrders` and `onLoaded` end them.
 */
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import { ordersChannel, ordersKey, revocationsKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import type { RevokedUsers } from './revoked-users.ts';

export const giveOrderScript = loadScript(new URL('./give-order.lua', import.meta.url));

/** Maximum revocations that the store and every node keep. */
export const REVOCATIONS_MAX = 200_000;
/** A node that missed more orders than this loads the whole set. */
const ORDERS_MAX = 10_000;
/** Maximum orders, and revocations, of one read. */
const PAGE_ORDERS = 500;
const PAGE_REVOCATIONS = 2_000;
/** Healthy replicas have a write within a few milliseconds. */
const REPLICAS_WAIT_MS = 250;
/** The id before all others. */
const BEGINNING = '0-0';

const KINDS = ['revoke', 'disconnect', 'drain', 'rebalance', 'announce'] as const;

export type OrderKind = (typeof KINDS)[number];

export interface Order {
  kind: OrderKind;
  /** A user id, the name of a node, or the text of an announcement. */
  target: string;
  /** Milliseconds of the store's clock. */
  atMs: number;
}

export interface Orders {
  /** False until the revocations were read once. Until then, no token is accepted. */
  readonly loaded: boolean;
  /**
   * How long the orders could not be read, in milliseconds. Counts from the start if they were
   * never read.
   */
  readonly silentMs: number;
  /**
   * Reads the new orders. Resolves after a read that started after the call, once its orders were
   * carried out. Rejects if the store does not answer.
   */
  poll(): Promise<void>;
  /** Stores an order and signals it. Rejects `unavailable` if it may not be stored. */
  give(kind: OrderKind, target: string): Promise<{ atMs: number }>;
  /** New orders, in order. `RevokedUsers` already contains them. */
  onOrders(callback: (orders: readonly Order[]) => void): void;
  /** The whole set was read, so any number of revocations may be new. */
  onLoaded(callback: () => void): void;
  start(ticker: Ticker): void;
  stop(): void;
}

type StreamEntry = [id: string, fields: string[]];

export function createOrders(options: {
  /** Small answers only. Its calls have a deadline. */
  store: RedisStore;
  subscriber: { want(channel: string, handler: (payload: string) => void): void };
  users: RevokedUsers;
  /** Replicas that must have an order before it is acknowledged. */
  waitReplicas: number;
  tickMs: number;
  logger: Logger;
  now: () => number;
}): Orders {
  const { store, users, logger, now } = options;
  const orderListeners: Array<(orders: readonly Order[]) => void> = [];
  const loadListeners: Array<() => void> = [];
  /** The newest order that this node knows. Undefined until the set has been loaded. */
  let lastId: string | undefined;
  let readAtMs = now();
  let failing = false;
  let leaveTicker: (() => void) | undefined;

  const range = (from: string): Promise<StreamEntry[]> =>
    store.at(ordersKey(), (redis) => redis.xrange(ordersKey(), from, '+', 'COUNT', PAGE_ORDERS + 1));

  const load = async (): Promise<void> => {
    // First the position, then the set: a revocation in between is in both.
    const [newest] = (await store.at(ordersKey(), (redis) =>
      redis.xrevrange(ordersKey(), '+', '-', 'COUNT', 1),
    )) as StreamEntry[];
    const found: Array<[user: string, atMs: number]> = [];
    let cursor = '0';
    do {
      const [next, page] = await store.at(revocationsKey(), (redis) =>
        redis.zscan(revocationsKey(), cursor, 'COUNT', PAGE_REVOCATIONS),
      );
      for (let i = 0; i < page.length; i += 2) found.push([page[i] as string, Number(page[i + 1])]);
      cursor = next;
    } while (cursor !== '0');
    for (const [user, atMs] of found.sort(([, a], [, b]) => a - b)) users.add(user, atMs);
    lastId = newest?.[0] ?? BEGINNING;
    for (const listener of loadListeners) listener();
    logger.info({ revocations: users.size }, 'the revocations were loaded');
  };

  /**
   * False if orders were missed, because they were trimmed or the store was restored from an older
   * state.
   */
  const readNew = async (after: string): Promise<boolean> => {
    const page = await range(after === BEGINNING ? '-' : after);
    const known = after === BEGINNING ? 0 : 1;
    if (known === 1 && page[0]?.[0] !== after) return false;
    if (page.length > PAGE_ORDERS) return false;
    const orders = page.slice(known).flatMap(([, fields]) => toOrder(fields));
    for (const { kind, target, atMs } of orders) if (kind === 'revoke') users.add(target, atMs);
    lastId = page.at(-1)?.[0] ?? after;
    if (orders.length > 0) for (const listener of orderListeners) listener(orders);
    return true;
  };

  const read = async (): Promise<void> => {
    if (lastId === undefined || !(await readNew(lastId))) await load();
    readAtMs = now();
    failing = false;
  };
  const poll = oneAtATime(read);
  const pollSoon = (): void => {
    poll().catch((error: unknown) => {
      if (!failing) logger.warn({ err: error }, 'the orders of administrators were not read; retrying');
      failing = true;
    });
  };

  return {
    get loaded() {
      return lastId !== undefined;
    },
    get silentMs() {
      return now() - readAtMs;
    },
    poll,
    async give(kind, target) {
      const keys = [revocationsKey(), ordersKey(), ordersChannel()];
      try {
        const atMs = await runScript(store, giveOrderScript, keys, [kind, target, REVOCATIONS_MAX, ORDERS_MAX]);
        if (options.waitReplicas > 0) await awaitReplicas(store, options.waitReplicas);
        // Poll at once instead of waiting for the own signal.
        pollSoon();
        return { atMs: Number(atMs) };
      } catch (error) {
        throw unavailable(error);
      }
    },
    onOrders: (callback) => void orderListeners.push(callback),
    onLoaded: (callback) => void loadListeners.push(callback),
    start(ticker) {
      options.subscriber.want(ordersChannel(), pollSoon);
      pollSoon();
      leaveTicker = ticker.join(options.tickMs, pollSoon);
    },
    stop: () => leaveTicker?.(),
  };
}

async function awaitReplicas(store: RedisStore, replicas: number): Promise<void> {
  const reached = await store.at(ordersKey(), (redis) => redis.wait(replicas, REPLICAS_WAIT_MS));
  if (reached < replicas) throw new Error(`only ${reached} replicas have the order`);
}

const isKind = (kind: string): kind is OrderKind => KINDS.includes(kind as OrderKind);

/** Ignores orders of kinds that this release does not know. */
export function toOrder(fields: readonly string[]): Order[] {
  const [, kind = '', , target, , at] = fields;
  const atMs = Number(at);
  if (!isKind(kind) || target === undefined || !Number.isSafeInteger(atMs)) return [];
  return [{ kind, target, atMs }];
}

/** One run at a time. All calls during a run share the next one. */
export function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const call = (): Promise<void> => {
    if (running === undefined) {
      running = run().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return call();
      });
    return next;
  };
  return call;
}
