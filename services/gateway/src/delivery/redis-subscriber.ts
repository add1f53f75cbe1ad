/**
 * The node's subscriptions to sharded channels: one connection to each shard of the store.
 *
 * Pub/sub is at most once, so a channel without announcements proves nothing. The store pings each
 * connection, and replaces one that does not answer. A channel is confirmed on the shard that holds
 * its slot. It is subscribed again after a broken connection, after the server ended a subscription
 * because a slot moved, and after the slots changed hands. Then `onResubscribed` reports those
 * channels, because announcements may have been missed.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { gatherWrites, type RedisStore, type Shard } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { Ticker } from '../cluster/ticker.ts';
import { LateSubscriptions } from './late-subscriptions.ts';
import { answers, type ShardConnection } from './shard-connection.ts';
import type { ChannelHandler, Subscriber } from './subscriber.ts';

export interface SubscriberOptions {
  /** Connections in subscriber mode. They MUST NOT resubscribe by themselves. */
  store: RedisStore;
  /** Period in which failed subscriptions are tried again. */
  retryMs: number;
  onHandlerError: (error: unknown) => void;
  /** While it is closed, announcements are dropped. Their channels are reported when it opens. */
  gate?: Pick<PauseGate, 'isOpen' | 'onOpened'>;
}

/** Channels of one command. */
const CHANNELS_AT_ONCE_MAX = 500;
/** Channels that are added within this time after a run share the next run. */
const GATHER_MS = 5;

export class RedisSubscriber implements Subscriber {
  readonly #options: SubscriberOptions;
  readonly #handlers = new Map<string, ChannelHandler>();
  readonly #confirmed = new Map<string, ShardConnection>();
  /** Channels whose subscription was lost, so that announcements may have been missed. */
  readonly #lost = new Set<string>();
  /** Channels whose announcements were dropped after a pause of the process. */
  #dropped = new Set<string>();
  readonly #late = new LateSubscriptions();
  readonly #connections = new Map<Redis, ShardConnection>();
  readonly #listeners: Array<(channels: ReadonlySet<string>) => void> = [];
  #leaveTicker: (() => void) | undefined;
  #settling = false;
  /** Channels that are wanted since the last run. */
  #fresh = new Set<string>();
  /** Any channel may be unconfirmed, or confirmed where it does not belong. */
  #unsettled = false;
  #stopped = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    options.store.onShard((shard) => this.#adopt(shard));
    options.store.onMove(() => this.#settleAgain());
    options.gate?.onOpened(() => this.#reportDropped());
  }

  async subscribe(channel: string, handler: ChannelHandler): Promise<void> {
    this.#handlers.set(channel, handler);
    try {
      const on = this.#confirmed.get(channel);
      if (on === undefined || on.shard !== this.#holderOf(channel)) await this.#confirm([channel]);
    } catch (error) {
      if (this.#handlers.get(channel) === handler) {
        this.#handlers.delete(channel);
        this.#lost.delete(channel);
        this.#late.note(channel);
      }
      throw error;
    }
  }

  want(channel: string, handler: ChannelHandler): void {
    this.#handlers.set(channel, handler);
    this.#fresh.add(channel);
    this.#settle();
  }

  drop(channels: readonly string[]): void {
    for (const [connection, held] of Map.groupBy(channels, (channel) => this.#forget(channel))) {
      // It fails if the connection is down. Then there is no subscription either.
      if (connection !== undefined) this.#unsubscribeOn(connection.shard, held, () => {});
    }
  }

  #unsubscribeOn(shard: Shard, channels: string[], onFailure: (channels: string[]) => void): void {
    gatherWrites(shard);
    for (const ofSlot of this.#bySlot(channels))
      for (let i = 0; i < ofSlot.length; i += CHANNELS_AT_ONCE_MAX) {
        const page = ofSlot.slice(i, i + CHANNELS_AT_ONCE_MAX);
        shard.redis.sunsubscribe(...page).catch(() => onFailure(page));
      }
  }

  async unsubscribe(channel: string): Promise<void> {
    const connection = this.#forget(channel);
    if (connection === undefined) return;
    gatherWrites(connection.shard);
    await connection.shard.redis.sunsubscribe(channel);
  }

  /** Gives the connection that has the subscription. */
  #forget(channel: string): ShardConnection | undefined {
    const wasWanted = this.#handlers.delete(channel);
    this.#lost.delete(channel);
    const connection = this.#confirmed.get(channel);
    // Its subscription may be on its way, or have missed its deadline.
    if (wasWanted && connection === undefined) this.#late.note(channel);
    this.#confirmed.delete(channel);
    return connection;
  }

  onResubscribed(callback: (channels: ReadonlySet<string>) => void): void {
    this.#listeners.push(callback);
  }

  isAlive(channel: string): boolean {
    const shard = this.#confirmed.get(channel)?.shard;
    return shard !== undefined && answers(shard) && shard === this.#holderOf(channel);
  }

  get alive(): boolean {
    return this.#connections.size > 0 && [...this.#connections.values()].every(({ shard }) => answers(shard));
  }

  start(ticker: Ticker): void {
    this.#leaveTicker = ticker.join(this.#options.retryMs, () => this.#onTick());
  }

  stop(): void {
    this.#stopped = true;
    this.#leaveTicker?.();
  }

  #adopt(shard: Shard): void {
    const { redis } = shard;
    const connection: ShardConnection = { shard, losses: 0 };
    this.#connections.set(redis, connection);
    redis.on('smessage', (channel: string, payload: string) => this.#onMessage(channel, payload));
    redis.on('close', () => this.#lose(connection, () => true));
    redis.on('end', () => this.#connections.delete(redis));
    redis.on('ready', () => this.#settleAgain());
    // The server refused a subscription because the slot is elsewhere, or ended subscriptions whose
    // slots moved.
    redis.on('moved', () => {
      const left = new Set(redis.condition?.subscriber ? redis.condition.subscriber.channels('ssubscribe') : []);
      this.#lose(connection, (channel) => !left.has(channel));
    });
    if (redis.status === 'ready') this.#settleAgain();
  }

  #reportDropped(): void {
    if (this.#dropped.size === 0) return;
    const channels = this.#dropped;
    this.#dropped = new Set();
    for (const listener of this.#listeners) listener(channels);
  }

  #onMessage(channel: string, payload: string): void {
    if (this.#options.gate?.isOpen() === false) {
      if (this.#handlers.has(channel)) this.#dropped.add(channel);
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
    for (const [channel, on] of this.#confirmed) {
      if (on !== connection || !isLost(channel)) continue;
      this.#confirmed.delete(channel);
      this.#lost.add(channel);
    }
    this.#settleAgain();
  }

  /** Checks every channel. A node may have tens of thousands. */
  #settleAgain(): void {
    this.#unsettled = true;
    this.#settle();
  }

  /**
   * Subscribes channels on the shards that hold them. One run at a time, repeated if anything
   * changed during it.
   */
  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    void this.#settleAll().finally(() => {
      this.#settling = false;
    });
  }

  async #settleAll(): Promise<void> {
    // One turn later, because slots move by the hundred and connections break together.
    await nextTurn();
    while ((this.#unsettled || this.#fresh.size > 0) && !this.#stopped) {
      const candidates = this.#unsettled ? this.#handlers.keys() : this.#fresh;
      this.#unsettled = false;
      this.#fresh = new Set();
      const misplaced = [...candidates].filter((channel) => this.#isMisplaced(channel));
      const again = new Set<string>();
      for (let i = 0; i < misplaced.length; i += CHANNELS_AT_ONCE_MAX) {
        // Another run may have confirmed some since the last page.
        const page = misplaced.slice(i, i + CHANNELS_AT_ONCE_MAX).filter((channel) => this.#isMisplaced(channel));
        // After a failure, the next tick tries again.
        const confirmed = await Promise.all(
          this.#bySlot(page).map((channels) => this.#confirm(channels).catch(() => [])),
        );
        for (const channel of confirmed.flat()) if (this.#lost.delete(channel)) again.add(channel);
      }
      if (again.size > 0) for (const listener of this.#listeners) listener(again);
      await pause(GATHER_MS);
    }
  }

  /**
   * Whether the channel's shard is ready but does not have its subscription. Shards that are not
   * ready are settled later: thousands of refusals would delay all others.
   */
  #isMisplaced(channel: string): boolean {
    if (!this.#handlers.has(channel)) return false;
    const holder = this.#holderOf(channel);
    return holder?.redis.status === 'ready' && this.#confirmed.get(channel)?.shard !== holder;
  }

  /** A command is for channels of one slot. One server has a single slot. */
  #bySlot(channels: string[]): string[][] {
    return [...Map.groupBy(channels, (channel) => this.#options.store.slotOf(channel)).values()];
  }

  #holderOf(channel: string): Shard | undefined {
    return this.#options.store.shardOf(channel);
  }

  /**
   * Subscribes channels of one slot on its shard. Returns the confirmed ones. The others were
   * unsubscribed during the call.
   */
  async #confirm(channels: string[]): Promise<string[]> {
    const [first = ''] = channels;
    let connection: ShardConnection | undefined;
    let losses = 0;
    await this.#options.store.at(first, (redis) => {
      connection = this.#connections.get(redis);
      losses = connection?.losses ?? 0;
      gatherWrites(connection?.shard);
      return redis.ssubscribe(...channels);
    });
    if (connection === undefined || connection.losses !== losses)
      throw new Error('the subscription was lost as soon as it was made');
    const confirmed = channels.filter((channel) => this.#handlers.has(channel));
    for (const channel of confirmed) {
      if (this.#confirmed.has(channel)) this.#lost.add(channel);
      this.#confirmed.set(channel, connection);
    }
    const unwanted = channels.filter((channel) => !this.#handlers.has(channel));
    if (unwanted.length > 0) await connection.shard.redis.sunsubscribe(...unwanted);
    return confirmed;
  }

  #onTick(): void {
    if (this.#confirmed.size < this.#handlers.size) this.#settleAgain();
    this.#endLate();
  }

  /** A connection keeps the order of commands, so this ends no subscription that is made later. */
  #endLate(): void {
    const noteAgain = (channels: string[]) => {
      for (const channel of channels) this.#late.note(channel);
    };
    const unwanted = this.#late.take((channel) => this.#handlers.has(channel));
    for (const [shard, channels] of Map.groupBy(unwanted, (channel) => this.#holderOf(channel))) {
      // A subscription ends with its connection.
      if (shard?.redis.status !== 'ready') continue;
      if (answers(shard)) this.#unsubscribeOn(shard, channels, noteAgain);
      else noteAgain(channels);
    }
  }
}
