/**
 * The seam to the list of a user's rooms. The room is the truth about who is a member. The list may
 * name a room in vain, and a read of the list repairs that. It MUST name each room of which the user
 * is a member.
 */
export interface RoomList {
  /**
   * Call it before the room changes, because then a crash between the two loses nothing. Rejects
   * `unavailable`, or `conflict` if the list is full.
   */
  add(userId: string, room: string): Promise<void>;
  /** Call it after the room has changed. Never rejects. */
  remove(userId: string, room: string): Promise<void>;
}
