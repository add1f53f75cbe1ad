/**
 * The rules for one user in one room, as a pure function `step(record, event, now)`.
 *
 * Each gateway node has an entry in the record, stamped with the report that wrote it. An older
 * stamp never replaces a newer one, so reports may be repeated or late. An ended entry stays for
 * `forgetMs`, which is longer than a report can be delayed. Example: a delayed "enter" finds the
 * newer stamp of the "leave" that overtook it, and is ignored.
 *
 * This module does not know where records are stored, who else is in the room, or how differences
 * are sent.
 */
import type { PresenceUser, Status, UserRef } from '@maru/protocol';

/** Orders the reports of a node. `epoch` begins with a full state, `seq` counts within it. */
export interface Stamp {
  epoch: number;
  seq: number;
}

export interface NodeEntry extends Stamp {
  /** When the user's last connection on that node ended (ms). Absent while there is one. */
  leftAt?: number;
}

export interface Profile {
  status: Status;
  text?: string;
  /** Grows with each change of the user's status. 0 if the status was never set. */
  version: number;
}

export interface UserRecord {
  user: UserRef;
  profile: Profile;
  nodes: Record<string, NodeEntry>;
}

export type TrackerEvent =
  | { type: 'enter'; node: string; stamp: Stamp; user: UserRef; profile: Profile }
  | { type: 'leave'; node: string; stamp: Stamp }
  /**
   * The node's entries up to that epoch are void: it died, departed, or reported a new full state.
   */
  | { type: 'gone'; node: string; epoch: number }
  | { type: 'status'; profile: Profile }
  /** Time has passed. */
  | { type: 'tick' };

export interface Timing {
  /** How long a user who left is still shown, so that a reconnect is invisible. */
  graceMs: number;
  /** How long an ended entry is kept. At least `graceMs`. */
  forgetMs: number;
}

export const DEFAULT_PROFILE: Profile = { status: 'online', version: 0 };

export const isNewer = (a: Stamp, b: Stamp): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);

/** When the user's last entry ended. Undefined while one is open. */
export function leftAtOf(record: UserRecord): number | undefined {
  let latest: number | undefined;
  for (const entry of Object.values(record.nodes)) {
    if (entry.leftAt === undefined) return undefined;
    if (latest === undefined || entry.leftAt > latest) latest = entry.leftAt;
  }
  return latest;
}

/** True while the user has a connection in the room, and for the grace period after. */
export function isPresent(record: UserRecord, now: number, timing: Timing): boolean {
  const leftAt = leftAtOf(record);
  return leftAt === undefined || now < leftAt + timing.graceMs;
}

/** The next record, or undefined if nothing is left. Does not modify its input. */
export function step(
  record: UserRecord | undefined,
  event: TrackerEvent,
  now: number,
  timing: Timing,
): UserRecord | undefined {
  const next = withoutForgotten(withoutFuture(record, now), now, timing);
  switch (event.type) {
    case 'enter':
      return enter(next, event, now, timing);
    case 'leave': {
      const entry = next?.nodes[event.node];
      // Reports of a node are processed in order, so a leave without an entry needs no record.
      if (next === undefined || entry === undefined || isNewer(entry, event.stamp)) return next;
      return withEntry(next, event.node, { ...event.stamp, leftAt: entry.leftAt ?? now });
    }
    case 'gone': {
      const entry = next?.nodes[event.node];
      if (next === undefined || entry === undefined || entry.epoch > event.epoch || entry.leftAt !== undefined)
        return next;
      return withEntry(next, event.node, { ...entry, leftAt: now });
    }
    case 'status':
      if (next === undefined || next.profile.version >= event.profile.version) return next;
      return { ...next, profile: event.profile };
    case 'tick':
      return next;
  }
}

function enter(
  record: UserRecord | undefined,
  event: Extract<TrackerEvent, { type: 'enter' }>,
  now: number,
  timing: Timing,
): UserRecord {
  const entry: NodeEntry = { ...event.stamp };
  if (record === undefined) return { user: event.user, profile: event.profile, nodes: { [event.node]: entry } };
  const known = record.nodes[event.node];
  if (known !== undefined && isNewer(known, event.stamp)) return record;
  // The status ends with the visit. A status set since then is in the event.
  const keepsProfile = isPresent(record, now, timing) && record.profile.version >= event.profile.version;
  return {
    user: event.user,
    profile: keepsProfile ? record.profile : event.profile,
    nodes: { ...record.nodes, [event.node]: entry },
  };
}

function withEntry(record: UserRecord, node: string, entry: NodeEntry): UserRecord {
  return { ...record, nodes: { ...record.nodes, [node]: entry } };
}

/** An end in the future was recorded before the clock was set back. It counts from now. */
function withoutFuture(record: UserRecord | undefined, now: number): UserRecord | undefined {
  if (record === undefined || Object.values(record.nodes).every(({ leftAt = now }) => leftAt <= now)) return record;
  const nodes = Object.entries(record.nodes).map(([node, entry]): [string, NodeEntry] => [
    node,
    entry.leftAt === undefined ? entry : { ...entry, leftAt: Math.min(entry.leftAt, now) },
  ]);
  return { ...record, nodes: Object.fromEntries(nodes) };
}

function withoutForgotten(record: UserRecord | undefined, now: number, timing: Timing): UserRecord | undefined {
  if (record === undefined) return undefined;
  const entries = Object.entries(record.nodes);
  const kept = entries.filter(([, entry]) => entry.leftAt === undefined || now < entry.leftAt + timing.forgetMs);
  if (kept.length === entries.length) return record;
  return kept.length === 0 ? undefined : { ...record, nodes: Object.fromEntries(kept) };
}

/** The user as others in the room see it. Undefined if the user is invisible or absent. */
export function shownOf(record: UserRecord | undefined, now: number, timing: Timing): PresenceUser | undefined {
  if (record === undefined || !isPresent(record, now, timing)) return undefined;
  const { status, text } = record.profile;
  if (status === 'invisible') return undefined;
  return { id: record.user.id, name: record.user.name, status, ...(text === undefined ? {} : { text }) };
}

/** When (ms) the record changes without an event. Undefined for never. */
export function dueAtOf(record: UserRecord | undefined, now: number, timing: Timing): number | undefined {
  if (record === undefined) return undefined;
  const leftAt = leftAtOf(record);
  if (leftAt === undefined) return undefined;
  const graceEnd = leftAt + timing.graceMs;
  return now < graceEnd ? graceEnd : leftAt + timing.forgetMs;
}
