/** What the gateway asks of presence, and what presence asks of the gateway. The rest of the gateway knows only this file. */
import type { PresenceDiff, PresenceSnapshot, Status, UserRef } from '@maru/protocol';

export interface PresencePort {
  /** The first connection of the user in that room on this node. Synchronous and cheap; told to the service in batches. */
  enter(room: string, user: UserRef): void;
  /** The last connection of the user in that room on this node is gone. */
  leave(room: string, userId: string): void;
  /** Reaches every room that the user is in, on every node. Forgotten when the user is in no room any more. */
  setStatus(userId: string, status: Status, text?: string): void;
  /**
   * Rejects with MaruError('unavailable') when the service does not answer within its deadline. Of a watched room it is the
   * state that the next difference builds on, whoever asks.
   */
  snapshot(room: string): Promise<PresenceSnapshot>;
  /** How many are shown in each room; rejects like `snapshot`. */
  counts(rooms: string[]): Promise<Record<string, number>>;
  /**
   * Differences of a room while somebody on this node watches it. The caller counts references: one call per room. Resolves after
   * the first attempt and never rejects: what failed is tried again until `unwatch`, and `snapshot` tells how it stands.
   */
  watch(room: string, onDiff: (diff: PresenceDiff) => void): Promise<void>;
  unwatch(room: string): void;
  /** Begins to report. Does not wait for the service: while that is down, only snapshots and counts fail. */
  start(): Promise<void>;
  /** Says goodbye for this node, so that its users need not wait for the lease to end; their grace still applies. */
  stop(): Promise<void>;
}

/** Sharded subscriptions on the gateway's shared subscriber connection, lent to presence. */
export interface PresenceSubscriber {
  /**
   * Resolves when the subscription stands; from then on every payload reaches `onMessage` in order, until `unsubscribe`, except while
   * the connection is broken. Rejects where it cannot stand now; nothing stays registered then. At most one handler a channel.
   * Calls for one channel never overlap: presence waits for one before it makes the next.
   */
  subscribe(channel: string, onMessage: (payload: string) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** `callback` runs after subscriptions were lost and stand again: messages may be missing. */
  onResubscribed(callback: () => void): void;
  /** False while messages may be missing unnoticed: no memory of a room is believed then. */
  readonly alive: boolean;
}
