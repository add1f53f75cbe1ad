/**
 * Counts the connections of each user in each room on this node, and tells only when a user's count goes from none to some or back.
 * Pure: it knows no socket and no service. The caller knows which connection is where: each enters a room once before it leaves it.
 */
export class RoomOccupancy {
  /** Room → user id → connections. */
  readonly #rooms = new Map<string, Map<string, number>>();

  /** True where it is the user's first connection in the room. */
  enter(room: string, userId: string): boolean {
    let users = this.#rooms.get(room);
    if (users === undefined) {
      users = new Map();
      this.#rooms.set(room, users);
    }
    const connections = users.get(userId) ?? 0;
    users.set(userId, connections + 1);
    return connections === 0;
  }

  /** True where it was the user's last connection in the room. */
  leave(room: string, userId: string): boolean {
    const users = this.#rooms.get(room);
    const connections = users?.get(userId);
    if (users === undefined || connections === undefined) return false;
    if (connections > 1) {
      users.set(userId, connections - 1);
      return false;
    }
    users.delete(userId);
    if (users.size === 0) this.#rooms.delete(room);
    return true;
  }
}
