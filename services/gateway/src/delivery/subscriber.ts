/**
 * The node's subscriptions: one connection to each shard of the store. Pub/sub is at most once, so silence proves nothing: on every
 * connection the node publishes a heartbeat to itself, and one on which it stays out is replaced. A channel is confirmed on the shard that
 * holds its slot, or it is subscribed there (again): after a broken connection, when the server ends a subscription because a slot moved, and
 * when the slots are found to have changed hands. Whoever relies on channels that were confirmed again is told, because anything may have been
 * missed.
 */
import type { RedisStore, Shard } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import type { Ticker } from '../cluster/ticker.ts';
import { heartbeatChannel } from '../keys.ts';

export type ChannelHandler = (payload: string) => void;

export interface Subscriber {
  /** Resolves when the store has confirmed; rejects when it could not in time. One handler a channel. */
  subscribe(channel: string, handler: ChannelHandler): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** The same without waiting: it is subscribed as soon as that can be. */
  want(channel: string, handler: ChannelHandler): void;
  /** Called after subscriptions were lost, with those channels, once they stand again. */
  onResubscribed(callback: (channels: ReadonlySet<string>) => void): void;
  /** True while the heartbeat arrives from the channel's shard: what the node was told by it is up to date. */
  hears(channel: string): boolean;
  /** The same for all shards. */
  readonly alive: boolean;
  start(beat: Ticker): void;
  stop(): void;
}

interface Link {
  shard: Shard;
  heartbeat: string | undefined;
  lastHeard: number;
  /** How often subscriptions on it were lost: one that was being made meanwhile may be among them. */
  losses: number;
}

/** Channels that are asked for at once. */
const CONFIRM_AT_ONCE = 500;

export function createSubscriber(options: {
  node: string;
  /** Tells the heartbeats of several subscribers of one node apart. */
  purpose: string;
  /** In subscriber mode, without resubscription of its own. */
  store: RedisStore;
  publish: (channel: string, payload: string) => Promise<unknown>;
  heartbeatMs: number;
  silenceMaxMs: number;
  logger: Logger;
  onHandlerError: (error: unknown) => void;
  now: () => number;
}): Subscriber {
  const { store, logger, now } = options;
  const handlers = new Map<string, ChannelHandler>();
  const confirmed = new Map<string, Link>();
  /** Subscribed once at least: confirming one of these again means that something may have been missed. */
  const lost = new Set<string>();
  const links = new Map<Redis, Link>();
  const listeners: Array<(channels: ReadonlySet<string>) => void> = [];
  let leaveBeat: (() => void) | undefined;
  let settling = false;
  let unsettled = false;
  let stopped = false;

  store.onShard((shard) => {
    const { redis } = shard;
    const link: Link = { shard, heartbeat: undefined, lastHeard: Number.NEGATIVE_INFINITY, losses: 0 };
    links.set(redis, link);
    redis.on('smessage', (channel: string, payload: string) => {
      if (channel === link.heartbeat) {
        link.lastHeard = now();
        return;
      }
      try {
        handlers.get(channel)?.(payload);
      } catch (error) {
        // One bad message must never end the process or the subscription.
        options.onHandlerError(error);
      }
    });
    redis.on('close', () => lose(link, () => true));
    redis.on('end', () => links.delete(redis));
    redis.on('ready', settle);
    // A subscription was refused because its slot is elsewhere, or the server ended some because theirs have left.
    redis.on('moved', () => {
      const left = new Set(redis.condition?.subscriber ? redis.condition.subscriber.channels('ssubscribe') : []);
      lose(link, (channel) => !left.has(channel));
    });
    if (redis.status === 'ready') settle();
  });
  store.onMove(settle);

  function lose(link: Link, isLost: (channel: string) => boolean): void {
    link.losses++;
    if (link.heartbeat !== undefined && isLost(link.heartbeat)) link.heartbeat = undefined;
    for (const [channel, on] of confirmed) {
      if (on !== link || !isLost(channel)) continue;
      confirmed.delete(channel);
      lost.add(channel);
    }
    settle();
  }

  /** Brings every channel to the shard that holds it; one run at a time, and once more where something changed meanwhile. */
  function settle(): void {
    unsettled = true;
    if (settling) return;
    settling = true;
    void settleAll().finally(() => {
      settling = false;
    });
  }

  async function settleAll(): Promise<void> {
    // One turn later: slots move by the hundred, and connections break together.
    await new Promise((resolve) => setImmediate(resolve));
    while (unsettled && !stopped) {
      unsettled = false;
      await Promise.all([...links.values()].map((link) => hearOneself(link)));
      // Of a shard that cannot be asked nothing is: thousands of refusals would hold up all else. It is settled when it is ready.
      const misplaced = [...handlers.keys()].filter((channel) => {
        const holder = holderOf(channel);
        return holder?.redis.status === 'ready' && confirmed.get(channel)?.shard !== holder;
      });
      const again = new Set<string>();
      for (let i = 0; i < misplaced.length; i += CONFIRM_AT_ONCE) {
        const page = misplaced.slice(i, i + CONFIRM_AT_ONCE);
        await Promise.all(
          page.map(async (channel) => {
            // Where it fails, the next beat tries again.
            if ((await confirm(channel).catch(() => false)) && lost.delete(channel)) again.add(channel);
          }),
        );
      }
      if (again.size > 0) for (const listener of listeners) listener(again);
    }
  }

  const holderOf = (channel: string): Shard | undefined => store.shardOf(channel);

  /** The heartbeat of a connection is on a channel that the shard holds, whatever slots it has. */
  async function hearOneself(link: Link): Promise<void> {
    const { shard } = link;
    if (shard.redis.status !== 'ready') return;
    if (link.heartbeat !== undefined && holderOf(link.heartbeat) === shard) return;
    const tag = store.tagOn(shard);
    if (tag === undefined) return;
    const channel = heartbeatChannel(tag, options.node, options.purpose);
    try {
      await shard.redis.ssubscribe(channel);
      link.heartbeat = channel;
      link.lastHeard = now();
    } catch (error) {
      store.noteRedirection(error, shard);
    }
  }

  /** Subscribes the channel where it belongs; false where nobody wants it any more. */
  async function confirm(channel: string): Promise<boolean> {
    if (confirmed.has(channel) && confirmed.get(channel)?.shard === holderOf(channel)) return true;
    let link: Link | undefined;
    let losses = 0;
    await store.at(channel, (redis) => {
      link = links.get(redis);
      losses = link?.losses ?? 0;
      return redis.ssubscribe(channel);
    });
    if (link === undefined || link.losses !== losses)
      throw new Error('the subscription was lost as soon as it was made');
    if (!handlers.has(channel)) {
      // It was given up while the store was asked.
      await link.shard.redis.sunsubscribe(channel);
      return false;
    }
    if (confirmed.has(channel)) lost.add(channel);
    confirmed.set(channel, link);
    return true;
  }

  const onBeat = () => {
    let isMisplaced = false;
    for (const link of links.values()) {
      const { shard, heartbeat } = link;
      if (shard.redis.status !== 'ready') continue;
      if (heartbeat === undefined || holderOf(heartbeat) !== shard) isMisplaced = true;
      else
        options.publish(heartbeat, '').catch(() => {
          // The store's health is watched elsewhere; here only the subscriber's own road matters.
        });
      if (heartbeat !== undefined && now() - link.lastHeard > options.silenceMaxMs) {
        logger.warn({ shard: shard.name, silenceMs: now() - link.lastHeard }, 'subscriber is silent; connecting again');
        link.lastHeard = now();
        shard.redis.disconnect(true);
      }
    }
    if (isMisplaced || confirmed.size < handlers.size) settle();
  };

  const isAlive = (link: Link | undefined): boolean =>
    link !== undefined && link.shard.redis.status === 'ready' && now() - link.lastHeard <= options.silenceMaxMs;

  return {
    async subscribe(channel, handler) {
      handlers.set(channel, handler);
      try {
        await confirm(channel);
      } catch (error) {
        if (handlers.get(channel) === handler) {
          handlers.delete(channel);
          lost.delete(channel);
        }
        throw error;
      }
    },
    want(channel, handler) {
      handlers.set(channel, handler);
      settle();
    },
    async unsubscribe(channel) {
      handlers.delete(channel);
      lost.delete(channel);
      const link = confirmed.get(channel);
      confirmed.delete(channel);
      await link?.shard.redis.sunsubscribe(channel);
    },
    onResubscribed(callback) {
      listeners.push(callback);
    },
    hears(channel) {
      const link = confirmed.get(channel);
      return isAlive(link) && link?.shard === holderOf(channel);
    },
    get alive() {
      return links.size > 0 && [...links.values()].every(isAlive);
    },
    start(beat) {
      leaveBeat = beat.join(options.heartbeatMs, onBeat);
    },
    stop() {
      stopped = true;
      leaveBeat?.();
    },
  };
}
