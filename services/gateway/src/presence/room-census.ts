/**
 * Counts the connections of each user in each room on this node, and tells only when a user's count goes from none to some or back.
 * Pure: it knows no socket and no service.
 */
import type { UserRef } from '@maru/protocol';

export type CensusTransition =
  | { type: 'enter'; room: string; user: UserRef }
  | { type: 'leave'; room: string; userId: string };

export class RoomCensus {
  /** Room → user id → connections. */
  readonly #rooms = new Map<string, Map<string, Set<string>>>();
  /** Connection → room → user id. */
  readonly #connections = new Map<string, Map<string, string>>();

  /** The user's first connection in the room is a transition; the same connection twice is not. */
  enter(room: string, user: UserRef, connectionId: string): CensusTransition | undefined {
    const entered = getOrCreate(this.#connections, connectionId, () => new Map<string, string>());
    if (entered.has(room)) return undefined;
    entered.set(room, user.id);
    const users = getOrCreate(this.#rooms, room, () => new Map<string, Set<string>>());
    const connections = getOrCreate(users, user.id, () => new Set<string>());
    connections.add(connectionId);
    return connections.size === 1 ? { type: 'enter', room, user: { id: user.id, name: user.name } } : undefined;
  }

  /** The user's last connection in the room is a transition. */
  leave(room: string, connectionId: string): CensusTransition | undefined {
    const entered = this.#connections.get(connectionId);
    const userId = entered?.get(room);
    if (entered === undefined || userId === undefined) return undefined;
    entered.delete(room);
    if (entered.size === 0) this.#connections.delete(connectionId);
    const users = this.#rooms.get(room);
    const connections = users?.get(userId);
    if (users === undefined || connections === undefined) return undefined;
    connections.delete(connectionId);
    if (connections.size > 0) return undefined;
    users.delete(userId);
    if (users.size === 0) this.#rooms.delete(room);
    return { type: 'leave', room, userId };
  }

  /** The connection is gone from every room. */
  leaveAll(connectionId: string): CensusTransition[] {
    const rooms = [...(this.#connections.get(connectionId)?.keys() ?? [])];
    return rooms.flatMap((room) => this.leave(room, connectionId) ?? []);
  }

  /** Rooms with at least one connection, for metrics. */
  get roomCount(): number {
    return this.#rooms.size;
  }
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}
