/**
 * The users of this node's rooms, and their statuses: the state that the service should have. Pure.
 */
import type { Operation } from '@maru/presence-api';
import type { Status, UserRef } from '@maru/protocol';

/** Statuses kept at a time. Beyond it, only those of users in a room are kept. */
const STATUSES_MAX = 20_000;

export class LocalPresence {
  readonly #rooms = new Map<string, Map<string, UserRef>>();
  readonly #roomsOfUser = new Map<string, number>();
  /** Of users in a room, and of those who were connected when they set it in none. */
  readonly #statuses = new Map<string, { status: Status; text?: string }>();
  /**
   * Users who set their status in no room of this node. The service may have ended it since, with a
   * visit on another node.
   */
  readonly #unsure = new Set<string>();
  readonly #isConnected: (userId: string) => boolean;

  /** `isConnected`: whether the user has a connection on this node. */
  constructor({ isConnected = () => false }: { isConnected?: (userId: string) => boolean } = {}) {
    this.#isConnected = isConnected;
  }

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
      this.#forgetStatus(userId);
    }
  }

  isInRoom(userId: string): boolean {
    return this.#roomsOfUser.has(userId);
  }

  setStatus(userId: string, status: Status, text: string | undefined): void {
    if (!this.isInRoom(userId) && !this.#mayKeep(userId)) return;
    if (this.isInRoom(userId)) this.#unsure.delete(userId);
    else this.#unsure.add(userId);
    this.#statuses.set(userId, text === undefined ? { status } : { status, text });
  }

  /**
   * The whole state as operations. Statuses come first, so that an invisible user is never shown.
   * The state may change while it is read: a user who enters is yielded or not, and is also in the
   * queue. A user who leaves is not yielded.
   *
   * `isLost`: the service may have lost its state. Only then are statuses yielded that it may have
   * ended itself.
   */
  *fullState({ isLost = false } = {}): Generator<Operation> {
    for (const [userId, wanted] of this.#statuses) {
      if (!this.isInRoom(userId) && !this.#isConnected(userId)) this.#forgetStatus(userId);
      else if (isLost || !this.#unsure.has(userId)) yield { op: 'status', userId, ...wanted, ifAbsent: true };
    }
    for (const [room, users] of this.#rooms) {
      for (const user of users.values()) yield { op: 'enter', room, user };
    }
  }

  #forgetStatus(userId: string): void {
    this.#statuses.delete(userId);
    this.#unsure.delete(userId);
  }

  #mayKeep(userId: string): boolean {
    return this.#isConnected(userId) && (this.#statuses.has(userId) || this.#statuses.size < STATUSES_MAX);
  }
}
