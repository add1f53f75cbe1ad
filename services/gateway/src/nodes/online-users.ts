/** Lists the users who are connected to this node, in pages ordered by user id. Pure. */
import type { UserRef } from '@maru/protocol';

/** The part of a session that administrators see. */
export interface SeenSession {
  user: UserRef;
  roles: readonly string[];
  /** Milliseconds of the store's clock. */
  beganAtMs: number;
  /** The name that the client gave itself. */
  program: string | undefined;
  /** Undefined for long-polling. */
  peerAddress: string | undefined;
  subscriptions: { readonly size: number };
}

export interface UsersQuery {
  /** A part of the user id or name, case-insensitive. Empty matches all. */
  contains: string;
  /** Users after this id. */
  after: string;
  limit: number;
}

/** A user on one node. */
export interface UserOnNode {
  id: string;
  name: string;
  connections: number;
}

export interface OnlineUser extends UserOnNode {
  nodes: string[];
}

/** Connections of one user on one node. */
export interface SessionOnNode {
  sinceTs: number;
  /** Joined rooms. */
  rooms: number;
  roles: readonly string[];
  transport: 'websocket' | 'polling';
  program?: string;
}

/** The first `limit` users after `after`, plus one if there are more. */
export function usersOnNode(sessions: Iterable<SeenSession>, query: UsersQuery): UserOnNode[] {
  const found = new Map<string, UserOnNode>();
  for (const { user } of sessions) {
    if (user.id <= query.after || !isMeant(user, query.contains)) continue;
    const known = found.get(user.id);
    if (known === undefined) found.set(user.id, { ...user, connections: 1 });
    else known.connections++;
  }
  return [...found.values()].sort(byId).slice(0, query.limit + 1);
}

/**
 * A page for the whole cluster. Each node returned its first users, so the first ones of all are
 * known.
 */
export function mergeUsers(
  pages: ReadonlyArray<{ node: string; answer: readonly UserOnNode[] }>,
  limit: number,
): { users: OnlineUser[]; cursor?: string } {
  const merged = new Map<string, OnlineUser>();
  for (const { node, answer } of pages) {
    for (const { id, name, connections } of answer) {
      const known = merged.get(id);
      if (known === undefined) merged.set(id, { id, name, connections, nodes: [node] });
      else {
        known.connections += connections;
        known.nodes.push(node);
      }
    }
  }
  const all = [...merged.values()].sort(byId);
  const users = all.slice(0, limit);
  const last = users.at(-1);
  return all.length > limit && last !== undefined ? { users, cursor: last.id } : { users };
}

export const sessionsOnNode = (sessions: Iterable<SeenSession>): SessionOnNode[] =>
  Array.from(sessions, ({ beganAtMs, subscriptions, roles, program, peerAddress }) => ({
    sinceTs: Math.floor(beganAtMs),
    rooms: subscriptions.size,
    roles,
    transport: peerAddress === undefined ? 'polling' : 'websocket',
    ...(program === undefined ? {} : { program }),
  }));

const byId = (one: { id: string }, other: { id: string }): number => (one.id < other.id ? -1 : 1);

function isMeant({ id, name }: UserRef, contains: string): boolean {
  if (contains === '') return true;
  const wanted = contains.toLowerCase();
  return id.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted);
}
