/** Who is where on this node: what the service should know of it, whatever became of the reports. Pure. */
import type { Status, UserRef } from '@maru/protocol';
import type { Op } from './wire.ts';

export class LocalPresence {
  readonly #rooms = new Map<string, Map<string, UserRef>>();
  readonly #roomsOfUser = new Map<string, number>();
  /** Of users in some room only, so it is bounded by the connections. */
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

  setStatus(userId: string, status: Status, text: string | undefined): void {
    if (!this.#roomsOfUser.has(userId)) return;
    this.#statuses.set(userId, text === undefined ? { status } : { status, text });
  }

  /**
   * The whole state as operations, statuses first so that nobody invisible is shown on the way. It is read while it changes: what
   * is entered meanwhile is told here or by the queue or by both, what is left meanwhile is not told here any more.
   */
  *fullState(): Generator<Op> {
    for (const [userId, wanted] of this.#statuses) yield { op: 'status', userId, ...wanted, ifAbsent: true };
    for (const [room, users] of this.#rooms) {
      for (const user of users.values()) yield { op: 'enter', room, user };
    }
  }
}
