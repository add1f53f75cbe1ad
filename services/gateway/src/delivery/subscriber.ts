/** What the node needs from pub/sub. `RedisSubscriber` provides it. */
import type { Ticker } from '../cluster/ticker.ts';

export type ChannelHandler = (payload: string) => void;

export interface Subscriber {
  /** Resolves when the store has confirmed; rejects at its deadline. A channel has one handler. */
  subscribe(channel: string, handler: ChannelHandler): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Subscribes as soon as possible, without waiting. */
  want(channel: string, handler: ChannelHandler): void;
  /** Unsubscribes all of them as soon as possible, without waiting. */
  drop(channels: readonly string[]): void;
  /**
   * Called with the channels whose subscription was lost, once they are subscribed again, and with
   * those whose announcements were dropped because the process was paused.
   */
  onResubscribed(callback: (channels: ReadonlySet<string>) => void): void;
  /** True while the channel's connection answers, so that announcements arrive, too. */
  isAlive(channel: string): boolean;
  /** True while the connections to all shards answer. */
  readonly alive: boolean;
  start(ticker: Ticker): void;
  stop(): void;
}
