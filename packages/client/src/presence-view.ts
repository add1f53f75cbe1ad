/**
 * The users in a room: a snapshot, and the differences after it. Pure. It does not know how either
 * is fetched.
 */
import type { PresenceDiff, PresenceSnapshot, PresenceUser } from '@maru/protocol/events';

export interface PresenceView {
  /** The server's count of online users. */
  readonly count: number;
  /** By user id; null in large rooms, for which the server sends only the count. */
  readonly users: ReadonlyMap<string, PresenceUser> | null;
  /** True if names and count disagree: a difference was lost, and a new snapshot is needed. */
  readonly stale: boolean;
}

export function viewOfSnapshot(snapshot: PresenceSnapshot): PresenceView {
  if (snapshot.users === undefined) return { count: snapshot.count, users: null, stale: false };
  return { count: snapshot.count, users: new Map(snapshot.users.map((user) => [user.id, user])), stale: false };
}

/**
 * The view after one difference. Joins and leaves are idempotent, so a duplicate changes nothing.
 * The difference's count is authoritative. If the number of names no longer matches it, the view is
 * stale.
 */
export function applyDiff(view: PresenceView, diff: PresenceDiff): PresenceView {
  // A large room that shrinks has names again. Only a snapshot contains them all, so the view
  // becomes stale.
  if (view.users === null) return { count: diff.count, users: null, stale: diff.joins.length + diff.leaves.length > 0 };
  const agreedBefore = view.users.size === view.count;
  const users = new Map(view.users);
  for (const { id } of diff.leaves) users.delete(id);
  for (const user of diff.joins) users.set(user.id, user);
  for (const user of diff.updates) if (users.has(user.id)) users.set(user.id, user);
  // If names and count never agreed, for example because of invisible users, a mismatch does not
  // indicate a loss.
  return { count: diff.count, users, stale: view.stale || (agreedBefore && users.size !== diff.count) };
}
