/**
 * The seam to the list of a user's rooms. The room is the source of truth about its members. The
 * list MUST contain each room of which the user is a member. It may contain others: a read of the
 * list removes them (repair).
 *
 * A membership starts with two writes on two shards: first to the list, then to the room. Between
 * them, a repair MUST NOT remove the room. Therefore a repair keeps rooms that were listed within
 * the last `SETTLING_MS`, and a caller whose second write took long lists the room again
 * (`Listing.settle`).
 */
import type { Notify } from '@maru/protocol';

/** `follow` is for public rooms. The user is or was a member of all other rooms in the list. */
export type ListedAs = 'member' | 'follow';

/** Call one of them after the room was written. Neither rejects. */
export interface Listing {
  /** The room has changed, or its outcome is unknown. */
  settle(): void;
  /** The room has not changed. */
  undo(): void;
}

/** A room in a list. */
export interface ListedRoom {
  room: string;
  as: ListedAs;
  notify: Notify;
  /** It may be repaired: it was listed longer ago than `SETTLING_MS`, by the store's clock. */
  isSettled: boolean;
  /** Changes whenever the room is listed again. */
  stamp: string;
}

export interface RoomList {
  /**
   * Call it before the room changes, because then a crash between the two loses nothing. Rejects
   * `unavailable`, or `conflict` if the list is full.
   */
  add(userId: string, room: string): Promise<Listing>;
  /** Call it after the room has changed. Never rejects. */
  remove(userId: string, room: string): Promise<void>;
  /**
   * A member has entered the room. Lists the room if it is missing, because rooms of earlier
   * releases are in no list. Does not wait, and asks the store only occasionally.
   */
  ensure(userId: string, room: string): void;
  /** Lists a room, or changes `notify`. Rejects like `add`. */
  set(userId: string, room: string, as: ListedAs, notify: Notify | undefined): Promise<void>;
  /** Ends following a public room. Rejects `unavailable`. */
  unfollow(userId: string, room: string): Promise<void>;
  /** All rooms, by id. Rejects `unavailable`. */
  read(userId: string): Promise<ListedRoom[]>;
  /**
   * Removes rooms from the list. The caller MUST have read the list first and then the rooms, which
   * do not have the user as a member. Rooms that are not settled or were listed again stay. Never
   * rejects.
   */
  repair(userId: string, inVain: readonly ListedRoom[]): Promise<void>;
}
