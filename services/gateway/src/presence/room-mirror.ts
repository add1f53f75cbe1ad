/**
 * This node's copy of a watched room: a snapshot of the service plus the differences since. A
 * difference applies to one version. If that is not the copy's version, the caller has to fetch a
 * new snapshot. Pure.
 */
import type { DiffMessage, RoomAnswer } from '@maru/presence-api';
import { LIMITS, type PresenceDiff, type PresenceSnapshot, type PresenceUser } from '@maru/protocol';

interface View {
  version: number;
  count: number;
  /** Undefined above `LIMITS.largeRoomUsers`. */
  users: Map<string, PresenceUser> | undefined;
}

export type MirrorStep =
  /** The difference is older than the copy. */
  | { result: 'stale' }
  /** Differences are missing: fetch a snapshot. */
  | { result: 'gap' }
  /** `diff` is what changed for watchers. Undefined if nothing did. */
  | { result: 'applied'; diff?: PresenceDiff };

const byId = (users: PresenceUser[]): Map<string, PresenceUser> => new Map(users.map((user) => [user.id, user]));

const isSame = (a: PresenceUser, b: PresenceUser): boolean =>
  a.name === b.name && a.status === b.status && a.text === b.text;

export class RoomMirror {
  readonly #room: string;
  #view: View | undefined;

  constructor(room: string) {
    this.#room = room;
  }

  /** Undefined before the first snapshot. */
  get version(): number | undefined {
    return this.#view?.version;
  }

  snapshot(): PresenceSnapshot | undefined {
    if (this.#view === undefined) return undefined;
    const { count, users } = this.#view;
    return users === undefined ? { count } : { count, users: [...users.values()] };
  }

  /** Replaces the copy with a snapshot of the service. */
  reset(answer: RoomAnswer): MirrorStep {
    const users = answer.users === undefined ? undefined : byId(answer.users);
    return this.#replace({ version: answer.version, count: answer.count, users });
  }

  apply(diff: DiffMessage): MirrorStep {
    const view = this.#view;
    if (view === undefined) return { result: 'gap' };
    if (diff.version <= view.version) return { result: 'stale' };
    const isLarge = diff.count > LIMITS.largeRoomUsers;
    // The difference lists all users: the room was empty before, or had too many users for names.
    if (diff.prev === 0 || (diff.whole && diff.prev === view.version)) {
      if (!isLarge && diff.joins.length !== diff.count) return { result: 'gap' };
      return this.#replace({
        version: diff.version,
        count: diff.count,
        users: isLarge ? undefined : byId(diff.joins),
      });
    }
    if (diff.prev !== view.version) return { result: 'gap' };
    if (isLarge) return this.#replace({ version: diff.version, count: diff.count, users: undefined });
    if (view.users === undefined) return { result: 'gap' };
    const users = new Map(view.users);
    for (const user of [...diff.joins, ...diff.updates]) users.set(user.id, user);
    for (const { id } of diff.leaves) users.delete(id);
    if (users.size !== diff.count) return { result: 'gap' };
    return this.#replace({ version: diff.version, count: diff.count, users });
  }

  #replace(next: View): MirrorStep {
    const before = this.#view;
    this.#view = next;
    if (before === undefined) return { result: 'applied' };
    const diff: PresenceDiff = { room: this.#room, count: next.count, joins: [], leaves: [], updates: [] };
    if (next.users === undefined) {
      if (before.users === undefined && before.count === next.count) return { result: 'applied' };
      return { result: 'applied', diff };
    }
    // Watchers of a room that had too many users for names now get all of them.
    const known = before.users ?? new Map<string, PresenceUser>();
    for (const user of next.users.values()) {
      const old = known.get(user.id);
      if (old === undefined) diff.joins.push(user);
      else if (!isSame(old, user)) diff.updates.push(user);
    }
    for (const id of known.keys()) if (!next.users.has(id)) diff.leaves.push({ id });
    const changes = diff.joins.length + diff.leaves.length + diff.updates.length;
    if (changes === 0 && before.count === next.count) return { result: 'applied' };
    return { result: 'applied', diff };
  }
}
