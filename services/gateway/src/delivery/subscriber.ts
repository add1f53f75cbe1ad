/**
 * The node's subscriptions to sharded channels: one connection to each shard of the store.
 *
 * Pub/sub is at most once, so silence proves nothing. On each connection the node publishes a
 * heartbeat to itself, and it replaces a connection whose heartbeat does not arrive. A channel is
 * confirmed on the shard that holds its slot. It is subscribed again after a broken connection,
 * after the server ended a subscription because a slot moved, and after the slots changed hands.
 * Then `onResubscribed` reports those channels, because announcements may have been missed.
 */
import type { RedisStore, Shard } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import type { Ticker } from '../cluster/ticker.ts';
import { heartbeatChannel } from '../keys.ts';

export type ChannelHandler = (payload: string) => void;

export interface Subscriber {
  /** Resolves when the store has confirmed; rejects at its deadline. A channel has one handler. */
  subscribe(channel: string, handler: ChannelHandler): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Subscribes as soon as possible, without waiting. */
  want(channel: string, handler: ChannelHandler): void;
  /** Called with the channels whose subscription was lost, once they are subscribed again. */
  onResubscribed(callback: (channels: ReadonlySet<string>) => void): void;
  /** True while heartbeats arrive from the channel's shard, so that announcements arrive, too. */
  isAlive(channel: string): boolean;
  /** True while heartbeats arrive from all shards. */
  readonly alive: boolean;
  start(ticker: Ticker): void;
  stop(): void;
}

export interface SubscriberOptions {
  node: string;
  /** Distinguishes the heartbeats of several subscribers of one node. */
  purpose: string;
  /** Connections in subscriber mode. They MUST NOT resubscribe by themselves. */
  store: RedisStore;
  publish: (channel: string, payload: string) => Promise<unknown>;
  heartbeatMs: number;
  /** A connection without a heartbeat for this long is replaced. */
  silenceMaxMs: number;
  logger: Logger;
  onHandlerError: (error: unknown) => void;
  now: () => number;
}

/** The subscriptions on one shard's connection. */
interface ShardConnection {
  shard: Shard;
  heartbeat: string | undefined;
  lastHeartbeatMs: number;
  /**
   * How many times subscriptions were lost. A subscription in progress at such a time may be lost,
   * too.
   */
  losses: number;
}

/** Channels confirmed at a time. */
const CONFIRMED_AT_ONCE_MAX = 500;

export class RedisSubscriber implements Subscriber {
  readonly #options: SubscriberOptions;
  readonly #handlers = new Map<string, ChannelHandler>();
  readonly #confirmed = new Map<string, ShardConnection>();
  /**
   * Channels whose subscription was lost. When one is confirmed again, announcements may have been
   * missed.
   */
  readonly #lost = new Set<string>();
  readonly #connections = new Map<Redis, ShardConnection>();
  readonly #listeners: Array<(channels: ReadonlySet<string>) => void> = [];
  #leaveTicker: (() => void) | undefined;
  #settling = false;
  #unsettled = false;
  #stopped = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    options.store.onShard((shard) => this.#adopt(shard));
    options.store.onMove(() => this.#settle());
  }

  async subscribe(channel: string, handler: ChannelHandler): Promise<void> {
    this.#handlers.set(channel, handler);
    try {
      await this.#confirm(channel);
    } catch (error) {
      if (this.#handlers.get(channel) === handler) {
        this.#handlers.delete(channel);
        this.#lost.delete(channel);
      }
      throw error;
    }
  }

  want(channel: string, handler: ChannelHandler): void {
    this.#handlers.set(channel, handler);
    this.#settle();
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#handlers.delete(channel);
    this.#lost.delete(channel);
    const connection = this.#confirmed.get(channel);
    this.#confirmed.delete(channel);
    await connection?.shard.redis.sunsubscribe(channel);
  }

  onResubscribed(callback: (channels: ReadonlySet<string>) => void): void {
    this.#listeners.push(callback);
  }

  isAlive(channel: string): boolean {
    const connection = this.#confirmed.get(channel);
    return this.#hasHeartbeat(connection) && connection?.shard === this.#holderOf(channel);
  }

  get alive(): boolean {
    return this.#connections.size > 0 && [...this.#connections.values()].every((each) => this.#hasHeartbeat(each));
  }

  start(ticker: Ticker): void {
    this.#leaveTicker = ticker.join(this.#options.heartbeatMs, () => this.#onTick());
  }

  stop(): void {
    this.#stopped = true;
    this.#leaveTicker?.();
  }

  #adopt(shard: Shard): void {
    const { redis } = shard;
    const connection: ShardConnection = {
      shard,
      heartbeat: undefined,
      lastHeartbeatMs: Number.NEGATIVE_INFINITY,
      losses: 0,
    };
    this.#connections.set(redis, connection);
    redis.on('smessage', (channel: string, payload: string) => this.#onMessage(connection, channel, payload));
    redis.on('close', () => this.#lose(connection, () => true));
    redis.on('end', () => this.#connections.delete(redis));
    redis.on('ready', () => this.#settle());
    // The server refused a subscription because the slot is elsewhere, or ended subscriptions whose
    // slots moved.
    redis.on('moved', () => {
      const left = new Set(redis.condition?.subscriber ? redis.condition.subscriber.channels('ssubscribe') : []);
      this.#lose(connection, (channel) => !left.has(channel));
    });
    if (redis.status === 'ready') this.#settle();
  }

  #onMessage(connection: ShardConnection, channel: string, payload: string): void {
    if (channel === connection.heartbeat) {
      connection.lastHeartbeatMs = this.#options.now();
      return;
    }
    try {
      this.#handlers.get(channel)?.(payload);
    } catch (error) {
      // A bad message must end neither the process nor the subscription.
      this.#options.onHandlerError(error);
    }
  }

  #lose(connection: ShardConnection, isLost: (channel: string) => boolean): void {
    connection.losses++;
    if (connection.heartbeat !== undefined && isLost(connection.heartbeat)) connection.heartbeat = undefined;
    for (const [channel, on] of this.#confirmed) {
      if (on !== connection || !isLost(channel)) continue;
      this.#confirmed.delete(channel);
      this.#lost.add(channel);
    }
    this.#settle();
  }

  /**
   * Subscribes every channel on the shard that holds it. One run at a time, repeated if anything
   * changed during it.
   */
  #settle(): void {
    this.#unsettled = true;
    if (this.#settling) return;
    this.#settling = true;
    void this.#settleAll().finally(() => {
      this.#settling = false;
    });
  }

  async #settleAll(): Promise<void> {
    // One turn later, because slots move by the hundred and connections break together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#unsettled && !this.#stopped) {
      this.#unsettled = false;
      await Promise.all([...this.#connections.values()].map((each) => this.#subscribeHeartbeat(each)));
      const again = new Set<string>();
      const misplaced = this.#misplacedChannels();
      for (let i = 0; i < misplaced.length; i += CONFIRMED_AT_ONCE_MAX) {
        const page = misplaced.slice(i, i + CONFIRMED_AT_ONCE_MAX);
        await Promise.all(
          page.map(async (channel) => {
            // After a failure, the next tick tries again.
            if ((await this.#confirm(channel).catch(() => false)) && this.#lost.delete(channel)) again.add(channel);
          }),
        );
      }
      if (again.size > 0) for (const listener of this.#listeners) listener(again);
    }
  }

  /**
   * Channels whose shard is ready but does not have their subscription. Shards that are not ready
   * are settled later: thousands of refusals would delay all others.
   */
  #misplacedChannels(): string[] {
    return [...this.#handlers.keys()].filter((channel) => {
      const holder = this.#holderOf(channel);
      return holder?.redis.status === 'ready' && this.#confirmed.get(channel)?.shard !== holder;
    });
  }

  #holderOf(channel: string): Shard | undefined {
    return this.#options.store.shardOf(channel);
  }

  /** The heartbeat's channel is in a slot that the shard holds, whichever slots these are. */
  async #subscribeHeartbeat(connection: ShardConnection): Promise<void> {
    const { store, node, purpose, now } = this.#options;
    const { shard } = connection;
    if (shard.redis.status !== 'ready') return;
    if (connection.heartbeat !== undefined && this.#holderOf(connection.heartbeat) === shard) return;
    const tag = store.tagOn(shard);
    if (tag === undefined) return;
    const channel = heartbeatChannel(tag, node, purpose);
    try {
      await shard.redis.ssubscribe(channel);
      connection.heartbeat = channel;
      connection.lastHeartbeatMs = now();
    } catch (error) {
      store.noteRedirection(error, shard);
    }
  }

  /** Subscribes the channel on its shard. False if the channel was unsubscribed in the meantime. */
  async #confirm(channel: string): Promise<boolean> {
    const confirmedOn = this.#confirmed.get(channel);
    if (confirmedOn !== undefined && confirmedOn.shard === this.#holderOf(channel)) return true;
    let connection: ShardConnection | undefined;
    let losses = 0;
    await this.#options.store.at(channel, (redis) => {
      connection = this.#connections.get(redis);
      losses = connection?.losses ?? 0;
      return redis.ssubscribe(channel);
    });
    if (connection === undefined || connection.losses !== losses)
      throw new Error('the subscription was lost as soon as it was made');
    if (!this.#handlers.has(channel)) {
      await connection.shard.redis.sunsubscribe(channel);
      return false;
    }
    if (this.#confirmed.has(channel)) this.#lost.add(channel);
    this.#confirmed.set(channel, connection);
    return true;
  }

  #onTick(): void {
    const { publish, silenceMaxMs, logger, now } = this.#options;
    let isMisplaced = false;
    for (const connection of this.#connections.values()) {
      const { shard, heartbeat } = connection;
      if (shard.redis.status !== 'ready') continue;
      if (heartbeat === undefined || this.#holderOf(heartbeat) !== shard) isMisplaced = true;
      else
        publish(heartbeat, '').catch(() => {
          // Store health has its own check. This class watches only the way through the subscriber.
        });
      const silenceMs = now() - connection.lastHeartbeatMs;
      if (heartbeat !== undefined && silenceMs > silenceMaxMs) {
        logger.warn({ shard: shard.name, silenceMs }, 'subscriber is silent; reconnecting');
        connection.lastHeartbeatMs = now();
        shard.redis.disconnect(true);
      }
    }
    if (isMisplaced || this.#confirmed.size < this.#handlers.size) this.#settle();
  }

  #hasHeartbeat(connection: ShardConnection | undefined): boolean {
    if (connection === undefined || connection.shard.redis.status !== 'ready') return false;
    return this.#options.now() - connection.lastHeartbeatMs <= this.#options.silenceMaxMs;
  }
}
