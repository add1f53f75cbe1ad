/**
 * Counts the connections of each user in each room on this node. Pure. The caller MUST call `enter`
 * once for each connection and room before it calls `leave`.
 */
export class ConnectionCounts {
  /** Room → user id → connections. */
  readonly #rooms = new Map<string, Map<string, number>>();

  /** True for the user's first connection in the room. */
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

  /** True for the user's last connection in the room. */
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
