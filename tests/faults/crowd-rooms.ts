/** The rooms of a crowd, and which member joins, owns and follows which. */
import { randomUUID } from 'node:crypto';
import { RoomChecker } from '@maru/testkit/checker/room-checker';
import { MemberRoom } from './member-room.ts';

export interface CrowdRoomsOptions {
  rooms: number;
  /** Number of rooms that a member joins. */
  roomsEach: number;
  /** A member follows all rooms, not only those that it joins. */
  followsAll: boolean;
}

export class CrowdRooms {
  readonly checkers: ReadonlyMap<string, RoomChecker>;
  readonly #options: CrowdRoomsOptions;
  readonly #names: readonly string[];
  readonly #made = new Map<string, { done: boolean }>();
  readonly #users = new Map<string, string[]>();

  constructor(options: CrowdRoomsOptions) {
    this.#options = options;
    // An environment may serve several crowds, so each has separate rooms.
    const run = randomUUID().slice(0, 8);
    this.#names = Array.from({ length: options.rooms }, (_, index) => `faults-${run}-${index + 1}`);
    this.checkers = new Map(this.#names.map((name) => [name, new RoomChecker(name)]));
    for (const name of this.#names) this.#made.set(name, { done: false });
  }

  /** The users who join the room. */
  users(name: string): readonly string[] {
    return this.#users.get(name) ?? [];
  }

  /** The rooms of the member with this index. The first members own a room each. */
  of(index: number, user: string): Map<string, MemberRoom> {
    const { roomsEach, followsAll } = this.#options;
    const rooms = this.#names.length;
    const own = new Map<string, MemberRoom>();
    for (let place = 0; place < rooms; place++) {
      const joins = place < roomsEach;
      const name = this.#names[(index + place) % rooms] as string;
      const checker = this.checkers.get(name);
      const made = this.#made.get(name);
      if (checker === undefined || made === undefined || !(joins || followsAll)) continue;
      if (joins) this.#users.set(name, [...this.users(name), user]);
      own.set(name, new MemberRoom({ user, checker, made, joins, isOwner: place === 0 && index < rooms }));
    }
    return own;
  }
}
