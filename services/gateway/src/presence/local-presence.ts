/**
 * The users of this node's rooms, and their statuses: the state that the service should have. Pure.
 */
import type { Operation } from '@maru/presence-api';
import type { Status, UserRef } from '@maru/protocol';

export class LocalPresence {
  readonly #rooms = new Map<string, Map<string, UserRef>>();
  readonly #roomsOfUser = new Map<string, number>();
  /** Only of users in a room, so the number of connections limits it. */
  readonly #statuses = new Map<string, { status: Status; text?: string }>();

  enter(room: string, user: UserRef): void {
    const users = this.#rooms.get(room) ?? new Map<string, UserRef>();
    this.#rooms.set(room, users);
    if (!users.has(user.id)) this.#roomsOfUser.set(user.id, (this.#roomsOfUser.get(user.id) ?? 0) + 1);
    users.set(user.id, user);
  }

  leave(room: string, userId: string): void {
    const users = this.#rooms.get(room);
    if (users === undefined || !users.delete(userId)) return;
    if (users.size === 0) this.#rooms.delete(room);
    const left = (this.#roomsOfUser.get(userId) ?? 1) - 1;
    if (left > 0) {
      this.#roomsOfUser.set(userId, left);
    } else {
      this.#roomsOfUser.delete(userId);
      this.#statuses.delete(userId);
    }
  }

  isInRoom(userId: string): boolean {
    return this.#roomsOfUser.has(userId);
  }

  setStatus(userId: string, status: Status, text: string | undefined): void {
    if (!this.#roomsOfUser.has(userId)) return;
    this.#statuses.set(userId, text === undefined ? { status } : { status, text });
  }

  /**
   * The whole state as operations. Statuses come first, so that an invisible user is never shown.
   * The state may change while it is read: a user who enters is yielded or not, and is also in the
   * queue. A user who leaves is not yielded.
   */
  *fullState(): Generator<Operation> {
    for (const [userId, wanted] of this.#statuses) yield { op: 'status', userId, ...wanted, ifAbsent: true };
    for (const [room, users] of this.#rooms) {
      for (const user of users.values()) yield { op: 'enter', room, user };
    }
  }
}
