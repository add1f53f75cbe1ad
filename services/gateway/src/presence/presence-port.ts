/** The seam between presence and the rest of the gateway. */
import type { UserPresence } from '@maru/presence-api';
import type { PresenceDiff, PresenceSnapshot, Status, UserRef } from '@maru/protocol';

export interface PresencePort {
  /** The user's first connection on this node entered the room. Cheap: reports are batched. */
  enter(room: string, user: UserRef): void;
  /** The user's last connection on this node left the room. */
  leave(room: string, userId: string): void;
  /**
   * Applies to all rooms of the user on all nodes, until the user has left the last one. Resolves
   * when the status applies to every room that is entered afterwards, on any node. Rooms that the
   * user is in show it a little later. Rejects like `snapshot`.
   */
  setStatus(userId: string, status: Status, text?: string): Promise<void>;
  /**
   * Rejects with `unavailable` when the service does not answer in time. For a watched room, the
   * next difference applies to the returned state.
   */
  snapshot(room: string): Promise<PresenceSnapshot>;
  /** The number of visible users in each room. Rejects like `snapshot`. */
  counts(rooms: string[]): Promise<Record<string, number>>;
  /**
   * At most `LIMITS.presenceUsersMax` users as `reader` may see them, in the same order. Rejects
   * like `snapshot`.
   */
  users(reader: string, users: string[]): Promise<UserPresence[]>;
  /**
   * Delivers the differences of a room until `unwatch`. The caller MUST call it once for each room.
   * Resolves after the first attempt and never rejects: a failed attempt is retried.
   */
  watch(room: string, onDiff: (diff: PresenceDiff) => void): Promise<void>;
  unwatch(room: string): void;
  /** Starts to report. While the service is down only reads and `setStatus` fail. */
  start(): Promise<void>;
  /** Releases the lease, so that users leave after their grace period and not after the lease. */
  stop(): Promise<void>;
}

/**
 * Sharded subscriptions on a connection that the gateway owns. Presence MUST NOT overlap calls for
 * the same channel.
 */
export interface PresenceSubscriber {
  /**
   * Resolves when the channel is subscribed. From then on `onMessage` MUST receive every payload in
   * order until `unsubscribe`, except while the connection is down. A channel has one handler.
   * On rejection no handler stays registered.
   */
  subscribe(channel: string, onMessage: (payload: string) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Runs `callback` after the connection was restored. Messages may be missing. */
  onResubscribed(callback: () => void): void;
  /** False while messages may be lost unnoticed. Mirrors MUST NOT answer then. */
  readonly alive: boolean;
}
