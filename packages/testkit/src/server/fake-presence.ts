/** Statuses that users of the fake server have set, and the users in each room. */
import type { PresenceUser, Status, UserRef } from '@maru/protocol/events';
import type { FakeRoom } from './fake-room.ts';

export class FakePresence {
  readonly #statuses = new Map<string, { status: Status; text?: string }>();

  /** Undefined if the user is invisible. */
  userOf(user: UserRef): PresenceUser | undefined {
    const { status, text } = this.#statuses.get(user.id) ?? { status: 'online' };
    if (status === 'invisible') return undefined;
    return { ...user, status, ...(text === undefined ? {} : { text }) };
  }

  snapshot(room: FakeRoom): { count: number; users: PresenceUser[] } {
    const users = room.users.flatMap((user) => this.userOf(user) ?? []);
    return { count: users.length, users };
  }

  set(user: UserRef, wanted: { status: Status; text?: string }, rooms: Iterable<FakeRoom>): void {
    const before = this.userOf(user);
    this.#statuses.set(user.id, wanted);
    const after = this.userOf(user);
    for (const room of rooms) {
      if (!room.users.some(({ id }) => id === user.id)) continue;
      room.emit('presence', {
        room: room.id,
        count: this.snapshot(room).count,
        joins: before === undefined && after !== undefined ? [after] : [],
        leaves: before !== undefined && after === undefined ? [{ id: user.id }] : [],
        updates: before !== undefined && after !== undefined ? [after] : [],
      });
    }
  }

  announce(room: FakeRoom, joins: UserRef[], leaves: UserRef[]): void {
    room.emit('presence', {
      room: room.id,
      count: this.snapshot(room).count,
      joins: joins.flatMap((user) => this.userOf(user) ?? []),
      leaves: leaves.map(({ id }) => ({ id })),
      updates: [],
    });
  }

  /**
   * Simulates a long absence of the user: the service remembers statuses only of users in rooms.
   */
  forget(user: string): void {
    this.#statuses.delete(user);
  }
}
