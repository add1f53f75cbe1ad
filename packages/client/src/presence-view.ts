/** Who is in a room, as a snapshot and the differences after it. Pure; it does not know how either is fetched. */
import type { PresenceDiff, PresenceSnapshot, PresenceUser } from '@maru/protocol/events';

export interface PresenceView {
  /** People online, as the server counts them. */
  readonly count: number;
  /** By user id; null in rooms so large that only the count is told. */
  readonly users: ReadonlyMap<string, PresenceUser> | null;
  /** True once names and count disagree: a difference was lost, and only a new snapshot helps. */
  readonly stale: boolean;
}

export function viewOfSnapshot(snapshot: PresenceSnapshot): PresenceView {
  if (snapshot.users === undefined) return { count: snapshot.count, users: null, stale: false };
  return { count: snapshot.count, users: new Map(snapshot.users.map((user) => [user.id, user])), stale: false };
}

/**
 * The view after one difference. Joins and leaves are idempotent, so one that came twice changes nothing. The count of the
 * difference always wins; names that do not add up to it any more make the view stale.
 */
export function applyDiff(view: PresenceView, diff: PresenceDiff): PresenceView {
  // A large room that shrank has names again, but only a snapshot can bring them; the watcher asks when it is stale.
  if (view.users === null) return { count: diff.count, users: null, stale: diff.joins.length + diff.leaves.length > 0 };
  const agreedBefore = view.users.size === view.count;
  const users = new Map(view.users);
  for (const { id } of diff.leaves) users.delete(id);
  for (const user of diff.joins) users.set(user.id, user);
  for (const user of diff.updates) if (users.has(user.id)) users.set(user.id, user);
  // Where names and count never agreed (invisible people, say), their difference says nothing about a loss.
  return { count: diff.count, users, stale: view.stale || (agreedBefore && users.size !== diff.count) };
}
