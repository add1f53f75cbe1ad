/**
 * The node's one subscriber connection. Pub/sub is at most once, so silence proves nothing: the node publishes a heartbeat
 * to itself, and when it stays out the connection is replaced. After every (re)connection all channels are subscribed again
 * and everybody who relies on them is told, because anything may have been missed.
 */
import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import { heartbeatChannel } from '../keys.ts';

export type ChannelHandler = (payload: string) => void;

export interface Subscriber {
  /** Resolves when the store has confirmed; rejects when it could not in time. One handler a channel. */
  subscribe(channel: string, handler: ChannelHandler): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Called after a lost connection once all channels are subscribed again. */
  onResubscribed(callback: () => void): void;
  /** True while the heartbeat arrives: what the node was told is up to date. */
  readonly alive: boolean;
  start(): void;
  stop(): void;
}

export function createSubscriber(options: {
  node: string;
  /** In subscriber mode, without resubscription of its own. */
  redis: Redis;
  publish: (channel: string, payload: string) => Promise<unknown>;
  heartbeatMs: number;
  silenceMaxMs: number;
  logger: Logger;
  onHandlerError: (error: unknown) => void;
  now: () => number;
}): Subscriber {
  const { redis, logger, now } = options;
  const handlers = new Map<string, ChannelHandler>();
  const confirmed = new Set<string>();
  const listeners: Array<() => void> = [];
  const ownChannel = heartbeatChannel(options.node);
  let lastHeard = 0;
  let timer: NodeJS.Timeout | undefined;
  let round = 0;

  redis.on('smessage', (channel: string, payload: string) => {
    if (channel === ownChannel) {
      lastHeard = now();
      return;
    }
    try {
      handlers.get(channel)?.(payload);
    } catch (error) {
      // One bad message must never end the process or the subscription.
      options.onHandlerError(error);
    }
  });
  // The server ends a subscription by itself when a slot moves; ioredis tells it by this event.
  redis.on('moved', () => redis.disconnect(true));
  redis.on('close', () => {
    confirmed.clear();
    round++;
  });
  redis.on('ready', onReady);
  if (redis.status === 'ready') onReady();

  function onReady(): void {
    const mine = round;
    resubscribe().then(
      () => {
        if (mine === round) for (const listener of listeners) listener();
      },
      (error: unknown) => {
        logger.warn({ reason: String(error) }, 'resubscription failed; connecting again');
        if (mine === round) redis.disconnect(true);
      },
    );
  }

  async function resubscribe(): Promise<void> {
    await redis.ssubscribe(ownChannel);
    lastHeard = now();
    const channels = [...handlers.keys()];
    // One channel a call: in a Cluster each has its own slot; together they still share round trips.
    for (let i = 0; i < channels.length; i += 500) {
      await Promise.all(channels.slice(i, i + 500).map((channel) => confirm(channel)));
    }
  }

  async function confirm(channel: string): Promise<void> {
    await redis.ssubscribe(channel);
    if (handlers.has(channel)) confirmed.add(channel);
    // Nobody wants it any more: it was given up while the store was asked.
    else await redis.sunsubscribe(channel);
  }

  const beat = () => {
    if (redis.status !== 'ready') return;
    options.publish(ownChannel, '').catch(() => {
      // The store's health is watched elsewhere; here only the subscriber's own road matters.
    });
    if (now() - lastHeard > options.silenceMaxMs) {
      logger.warn({ silenceMs: now() - lastHeard }, 'subscriber is silent; connecting again');
      lastHeard = now();
      redis.disconnect(true);
    }
  };

  return {
    async subscribe(channel, handler) {
      handlers.set(channel, handler);
      if (confirmed.has(channel)) return;
      try {
        await confirm(channel);
      } catch (error) {
        if (handlers.get(channel) === handler) handlers.delete(channel);
        throw error;
      }
    },
    async unsubscribe(channel) {
      handlers.delete(channel);
      if (confirmed.delete(channel)) await redis.sunsubscribe(channel);
    },
    onResubscribed(callback) {
      listeners.push(callback);
    },
    get alive() {
      return redis.status === 'ready' && now() - lastHeard <= options.silenceMaxMs;
    },
    start() {
      timer = setInterval(beat, options.heartbeatMs);
    },
    stop() {
      clearInterval(timer);
    },
  };
}
