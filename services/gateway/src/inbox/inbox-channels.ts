/**
 * Receives inbox events: the node subscribes to the channel of each user who has a connection here,
 * and for a while after the last one is gone, because clients reconnect.
 */
import type { Ticker } from '../cluster/ticker.ts';
import type { Subscriber } from '../delivery/subscriber.ts';
import { eventPacket } from '../edge/packets.ts';
import { userInboxChannel } from '../keys.ts';
import { decodeInboxEvent } from './inbox-codec.ts';

/** A connection of the user. */
export interface InboxReader {
  /** Whether `session` was sent, which is always the first event. */
  readonly isOpen: boolean;
  send(packet: string): void;
}

export interface InboxChannelsOptions {
  subscriber: Pick<Subscriber, 'want' | 'drop'>;
  readersOf: (userId: string) => Iterable<InboxReader>;
  /** How long a channel stays subscribed after the user's last connection. */
  lingerMs: number;
  onDelivered: (connections: number) => void;
  onMalformed: () => void;
  now: () => number;
}

const PERIOD_MS = 1_000;

export class InboxChannels {
  readonly #options: InboxChannelsOptions;
  readonly #users = new Set<string>();
  /** Users without a connection, with the time when the last one ended. Oldest first. */
  readonly #left = new Map<string, number>();
  #leaveTicker: (() => void) | undefined;

  constructor(options: InboxChannelsOptions) {
    this.#options = options;
  }

  /** Subscribed channels, confirmed or not. */
  get size(): number {
    return this.#users.size;
  }

  /** The user's first connection on this node started. */
  came(userId: string): void {
    this.#left.delete(userId);
    if (this.#users.has(userId)) return;
    this.#users.add(userId);
    this.#options.subscriber.want(userInboxChannel(userId), (payload) => this.#receive(userId, payload));
  }

  /** The user's last connection on this node ended. */
  left(userId: string): void {
    this.#left.set(userId, this.#options.now());
  }

  start(ticker: Ticker): void {
    this.#leaveTicker = ticker.join(PERIOD_MS, () => this.#sweep());
  }

  stop(): void {
    this.#leaveTicker?.();
  }

  #sweep(): void {
    const { now, lingerMs, subscriber } = this.#options;
    const until = now() - lingerMs;
    const gone: string[] = [];
    for (const [userId, leftMs] of this.#left) {
      if (leftMs > until) break;
      this.#left.delete(userId);
      this.#users.delete(userId);
      gone.push(userInboxChannel(userId));
    }
    // Dropped in one call, because a command costs the node about 25 µs.
    if (gone.length > 0) subscriber.drop(gone);
  }

  #receive(userId: string, payload: string): void {
    const json = decodeInboxEvent(payload);
    if (json === undefined) {
      this.#options.onMalformed();
      return;
    }
    const packet = eventPacket('inbox', json);
    let connections = 0;
    for (const reader of this.#options.readersOf(userId)) {
      if (!reader.isOpen) continue;
      reader.send(packet);
      connections++;
    }
    this.#options.onDelivered(connections);
  }
}
